"""metrics-server for the local cluster: what autoscalers read the pods' CPU from."""

"""What developing and trying Modelyard needs and the operator itself does not: the local cluster, images, stand-ins."""

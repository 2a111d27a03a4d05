"""A gateway for the local cluster: Gateway API's own definitions, and Traefik, which does what they say."""

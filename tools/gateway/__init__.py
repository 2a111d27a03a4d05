"""Gateways for the local cluster: Gateway API's own definitions, and Traefik or Envoy Gateway, which follow them."""

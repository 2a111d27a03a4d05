"""Container images without a container engine: built with buildah on a Debian base, kept as archives in the cache."""

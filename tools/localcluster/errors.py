"""The one error a user of the local cluster sees."""


class ClusterError(Exception):
    """One sentence that names the thing, its value and the cure."""

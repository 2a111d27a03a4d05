"""A switch where there is no room for a further pod, on a backend whose updates always make one.

One pod goes first. The update makes one more than it was told to have, which is as many as there were; only once all
are of the new version it is told to have all of them.
"""

from modelyard.core.model_deployment.layout import Predictor
from modelyard.core.model_deployment.scene import Scene


def predictor_within(scene: Scene, version: str) -> Predictor:
    """The stable predictor at its next stage on the way to this version, never with more pods than are wanted."""
    state, wanted = scene.servers.stable, scene.stable(version)
    is_free = scene.draft.spec.rollout.surge == "Allow" or not scene.backend.always_surges
    if is_free or state.applied_version is None or not wanted.replicas:
        return wanted
    fewer = wanted.replicas - 1
    if state.applied_version != version:
        if max(state.wanted, state.replicas) > fewer:
            return Predictor(wanted.name, state.applied_version, min(state.wanted, fewer))
        return Predictor(wanted.name, version, max(fewer, 1))
    told = Predictor(wanted.name, version, state.wanted)
    return told if 0 < told.replicas < wanted.replicas and not state.has_rolled_out(told) else wanted

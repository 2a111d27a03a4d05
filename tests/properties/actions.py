"""What people and nodes do to a ModelDeployment while it lives."""

from collections.abc import Callable

from properties.serving import ServingWorld

Action = Callable[[ServingWorld], None]
BACKENDS = ("SeldonDeployment", "Deployment")


def alias(version: str | None) -> Action:
    """Somebody moves, or deletes, the alias."""

    def move(world: ServingWorld) -> None:
        world.registry.alias = version

    return move


def spec(**fields: object) -> Action:
    """Somebody edits spec."""

    def change(world: ServingWorld) -> None:
        world.change(**fields)

    return change


def annotation(name: str, value: str) -> Action:
    """Somebody annotates it."""

    def annotate(world: ServingWorld) -> None:
        world.annotate(f"modelyard.io/{name}", value)

    return annotate


def lost(predictor: str) -> Action:
    """A node is lost, with all pods of a predictor."""

    def lose(world: ServingWorld) -> None:
        world.lose_pods(predictor)

    return lose


def deleted_children(world: ServingWorld) -> None:
    """Someone deletes what the operator made; their pods live on until they are replaced."""
    for kind in BACKENDS:
        world.api.remove(kind, "digits")

"""Which registered models the objects of a namespace may name, where the administrator holds them apart."""

from modelyard.core.context import Context

NAMESPACED = "Namespaced"


def problems_of(context: Context, namespace: str, name: str) -> list[str]:
    """Why objects of this namespace may not name this model; nothing where they may."""
    if context.model_names != NAMESPACED or name.startswith(f"{namespace}."):
        return []
    kept = f"registered models of namespace {namespace} are named {namespace}.<name> here"
    return [f"spec.model.name: {kept}, and {name} is not: name it {namespace}.{name}"]

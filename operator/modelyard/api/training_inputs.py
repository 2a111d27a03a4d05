"""What a training is given besides its code: prepared data, datasets, parameters, and what an earlier attempt kept."""

from typing import Annotated

from pydantic import Field

from modelyard.api.base import EnvVar, KubeModel, ResourceRequirements, environment_rules, form, keyed_by, rule, rules


class Prepare(KubeModel):
    """Prepares the data: runs to its end first, in the same pod, and leaves its files in /data."""

    image: Annotated[str | None, Field(min_length=1, max_length=1024)] = None
    """The image; the trainer's when left out."""
    command: Annotated[list[str] | None, Field(max_length=64)] = None
    """What is run, one list item per argument; the image's own entrypoint when left out."""
    args: Annotated[list[str] | None, Field(max_length=256)] = None
    """Arguments; $(PARAM_NAME) stands for a parameter's value."""
    env: Annotated[
        list[EnvVar] | None,
        Field(max_length=100, json_schema_extra=keyed_by("name") | environment_rules("spec.prepare.env")),
    ] = None
    """Environment variables; names that the operator sets itself are refused."""
    resources: ResourceRequirements | None = None
    """Requests and limits."""


class Dataset(KubeModel):
    """Data that the training uses: an input of its run in MLflow, and variables in its pod."""

    name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=100,
            json_schema_extra=rules(
                rule(
                    "self.matches('^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$')",
                    "spec.datasets: a name is made of letters, digits, '-', '_' and '.', and begins and ends with a "
                    "letter or digit",
                )
            ),
        ),
    ]
    """Its name; DATASET_<NAME>_URI has it in capitals, with _ for . and -."""
    uri: Annotated[
        str,
        Field(
            min_length=1,
            max_length=2048,
            json_schema_extra=rules(
                rule(
                    r"!self.matches(r'[\x00-\x20\x7f]')",
                    "spec.datasets: a uri may not hold spaces or control characters: write them as %20 and so on",
                ),
                rule(
                    "!self.matches('^[A-Za-z][A-Za-z0-9+.-]*://[^/?#@]*:[^/?#@]*@')",
                    "spec.datasets: a uri may not hold a password, because everybody who sees the run sees it: remove "
                    "it, and give the pod a Secret",
                ),
            ),
        ),
    ]
    """Where it lies: s3://…, https://…, a path. It is told, not read."""
    digest: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=128,
            pattern=r"^[A-Za-z0-9+/=:._-]+$",
            json_schema_extra=form("may hold letters, digits and + / = : . _ - only, such as sha256:9f66e6de"),
        ),
    ] = None
    """The digest of its content, such as sha256:…; told, not checked."""


class Parameter(KubeModel):
    """One parameter of the training."""

    name: Annotated[
        str,
        Field(
            max_length=128,
            pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
            json_schema_extra=form(
                "may hold letters, digits and '_' only, and not begin with a digit, because it is part of a variable's "
                "name: rename the parameter"
            ),
        ),
    ]
    """Its name: letters, digits and underscores."""
    value: Annotated[
        str,
        Field(
            max_length=6000,
            json_schema_extra=rules(
                rule(
                    r"!self.contains('\u0000')",
                    "spec.parameters: a value may not hold the character NUL, which no variable can: remove it",
                )
            ),
        ),
    ]
    """Its value, as text; any characters but NUL. No shell reads it."""


class CheckpointClaim(KubeModel):
    """A PersistentVolumeClaim of the same namespace."""

    claim_name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=253,
            pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$",
            json_schema_extra=form(
                "is no name that a PersistentVolumeClaim can have: lower-case letters, digits, '-' and '.'"
            ),
        ),
    ]
    """The claim's name."""


_OWN_FOLDERS = ("/", "/tmp", "/etc", "/etc/modelyard", "/modelyard", "/workspace")  # noqa: S108 - of the pod


class Checkpoint(KubeModel):
    """Where a training keeps what a later attempt goes on from."""

    persistent_volume_claim: CheckpointClaim
    """The claim that every attempt mounts."""
    mount_path: Annotated[
        str,
        Field(
            max_length=1024,
            pattern=r"^/[^:]*$",
            json_schema_extra=rules(
                rule(
                    f"!(self in [{', '.join(repr(folder) for folder in _OWN_FOLDERS)}])",
                    f"spec.checkpoint.mountPath may be none of {', '.join(_OWN_FOLDERS)}, which hold other things: "
                    "use /checkpoint or another folder of its own",
                )
            )
            | form("must begin with / and hold no ':', such as /checkpoint"),
        ),
    ] = "/checkpoint"
    """Where it is mounted in the trainer, and what CHECKPOINT_DIR says."""

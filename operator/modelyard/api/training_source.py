"""Where the code of a TrainingJob comes from."""

from typing import Annotated

from pydantic import Field

from modelyard.api.base import KubeModel, form, rule, rules


class ConfigMapSource(KubeModel):
    """Code in a ConfigMap of the same namespace."""

    name: Annotated[str, Field(min_length=1, max_length=253)]
    """The ConfigMap; its keys become files in the working directory."""


class SecretReference(KubeModel):
    """A Secret of the same namespace."""

    name: Annotated[str, Field(min_length=1, max_length=253)]
    """The Secret."""


class GitSource(KubeModel):
    """Code in a git repository; an init container fetches it, the operator never calls the address."""

    model_config = KubeModel.model_config | {
        "json_schema_extra": rules(
            rule(
                "!(self.url.startsWith('http://') && has(self.secretRef))",
                "spec.source.git.secretRef is not sent over http://, which anybody on the way reads: use https:// or ssh://",
            ),
            rule(
                "!self.url.startsWith('ssh://') || has(self.secretRef)",
                "spec.source.git.secretRef is needed for ssh://: name a Secret with ssh-privatekey and known_hosts",
            ),
        )
    }

    url: Annotated[
        str,
        Field(
            min_length=1,
            max_length=1024,
            json_schema_extra=rules(
                rule(
                    "self.matches('^(https?|ssh)://')",
                    "spec.source.git.url must begin with https://, ssh:// or http:// (for git@host:path write "
                    "ssh://git@host/path)",
                ),
                rule(
                    r"self.matches(r'^[a-z]+://([A-Za-z0-9_][A-Za-z0-9._~-]*@)?"
                    r"([A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/[!-~]+$')",
                    "spec.source.git.url must be scheme://host/path in printable ASCII, and may not hold a password: "
                    "put that into the Secret of spec.source.git.secretRef",
                ),
                rule(
                    "!self.matches('^https?://[^/]*@')",
                    "spec.source.git.url may not hold a user: put user and password into the Secret of "
                    "spec.source.git.secretRef",
                ),
            ),
        ),
    ]
    """The repository's address: https://…, ssh://… or http://…."""
    revision: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=255,
            json_schema_extra=rules(
                rule(
                    "self.matches('^[A-Za-z0-9_][A-Za-z0-9_./+#=,@-]*$') && !self.contains('..')",
                    "spec.source.git.revision must be a branch, a tag, refs/… or a commit's 40 digits",
                )
            ),
        ),
    ] = None
    """A branch, a tag or a commit; the default branch when left out. Every attempt runs the commit of the first."""
    path: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=512,
            json_schema_extra=rules(
                rule(
                    r"self.matches(r'^[^/\x00-\x1f\x7f][^\x00-\x1f\x7f]*$') && !self.matches(r'(^|/)\.\.(/|$)')",
                    "spec.source.git.path must be a folder below the repository's top, without .. and control "
                    "characters, and not begin with /",
                )
            ),
        ),
    ] = None
    """The folder of the repository that the trainer runs in; its top when left out."""
    secret_ref: SecretReference | None = None
    """Holds username and password (or token), ca.crt where needed; for ssh:// ssh-privatekey and known_hosts."""


class Source(KubeModel):
    """Where the code comes from when it is not in the image: exactly one of its fields."""

    model_config = KubeModel.model_config | {
        "json_schema_extra": rules(
            rule(
                "has(self.configMap) != has(self.git)",
                "spec.source needs exactly one of configMap and git",
            )
        )
    }

    config_map: ConfigMapSource | None = None
    """Code in a ConfigMap."""
    git: GitSource | None = None
    """Code in a git repository."""


class MLProject(KubeModel):
    """Runs an entry point of the source's MLproject file, in the trainer's image."""

    entry_point: Annotated[
        str,
        Field(
            min_length=1,
            max_length=128,
            pattern=r"^[A-Za-z0-9_][A-Za-z0-9_. -]*$",
            json_schema_extra=form(
                "may hold letters, digits, spaces and _ . - only, and begins with a letter, digit or '_'"
            ),
        ),
    ] = "main"
    """The entry point; its parameters are those of spec.parameters, checked against the types that the file names."""

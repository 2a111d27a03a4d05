"""Specs that set every field, with values that are fine: what is put in place of one of them is what a test is about.

A new field of the schema belongs in here, and a new rule of it into RULES: a test says so while it is missing.
"""

from typing import Any

from support.bad_values import MISSING

Spec = dict[str, Any]

_CONTAINER: Spec = {
    "image": "registry.example.org/team/image:1",
    "command": ["python3"],
    "args": ["train.py"],
    "env": [
        {"name": "A", "value": "b"},
        {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "b"}}},
    ],
    "resources": {"requests": {"cpu": "500m"}, "limits": {"cpu": 2, "memory": "1Gi"}},
}
_TEMPLATE: Spec = {
    "metadata": {"labels": {"team": "vision"}, "annotations": {"note": "any"}},
    "spec": {"nodeSelector": {"gpu": "yes"}},
}
_ERRORS: Spec = {"name": "errors", "builtin": "ErrorRate", "max": "0.01"}
_DISAGREES: Spec = {"name": "same", "builtin": "Disagreement", "max": "0.02"}
_DRIFT: Spec = {"name": "drift", "prometheus": {"query": "drift"}}

_GATES: list[Spec] = [
    {"name": "least", "metric": "accuracy", "min": "0.9", "goal": "Maximize"},
    {"name": "most", "metric": "loss", "max": "-1.5e3"},
    {"name": "no-worse", "metric": "loss", "dataset": "holdout", "maxRegression": "0.01", "goal": "Minimize"},
    {"name": "better", "metric": "accuracy", "minImprovement": "0"},
]

SAMPLES: dict[str, list[Spec]] = {
    "TrainingJob": [
        {
            "suspend": True,
            "trainer": _CONTAINER
            | {
                "workingDir": "/code",
                "envFrom": [{"secretRef": {"name": "settings"}}],
                "volumeMounts": [{"name": "data", "mountPath": "/files"}],
                "imagePullPolicy": "IfNotPresent",
            },
            "podTemplate": _TEMPLATE,
            "source": {"configMap": {"name": "code"}},
            "prepare": _CONTAINER,
            "datasets": [{"name": "digits", "uri": "s3://data/digits", "digest": "sha256:abc"}],
            "parameters": [{"name": "depth", "value": "8"}],
            "activeDeadlineSeconds": 3600,
            "pendingDeadlineSeconds": 600,
            "ttlSecondsAfterFinished": 86400,
            "queueName": "training",
            "nodes": 2,
            "processesPerNode": 2,
            "retry": {
                "limit": 2,
                "backoff": {"initialSeconds": 10, "maxSeconds": 300},
                "nonRetryableExitCodes": [2],
                "onOutOfMemory": {"memoryFactor": "1.5", "maxMemory": "8Gi"},
            },
            "checkpoint": {"persistentVolumeClaim": {"claimName": "checkpoints"}, "mountPath": "/checkpoint"},
            "tracking": {
                "experiment": "digits",
                "runName": "first",
                "tags": [{"name": "team", "value": "vision"}],
                "runPolicy": "PerAttempt",
                "metrics": ["accuracy"],
                "systemMetrics": True,
            },
            "model": {
                "name": "digits",
                "artifact": "model",
                "register": "OnSuccess",
                "aliases": ["champion"],
                "tags": [{"name": "team", "value": "vision"}],
            },
        },
        {
            "trainer": {},
            "source": {
                "git": {
                    "url": "ssh://git@git.example.org/team/digits.git",
                    "revision": "main",
                    "path": "ml",
                    "secretRef": {"name": "key"},
                }
            },
            "mlproject": {"entryPoint": "main"},
        },
    ],
    "PromotionPolicy": [
        {
            "model": {"name": "digits"},
            "candidate": {"alias": "candidate"},
            "target": {"alias": "champion", "onManualMove": "Revert"},
            "gates": _GATES,
            "approval": {"required": True},
            "suspend": False,
            "historyLimit": 10,
        }
    ],
    "Promotion": [
        {
            "model": {"name": "digits", "version": "7"},
            "target": {"alias": "champion"},
            "gates": _GATES,
            "approval": {"required": True, "decision": "Approved", "by": "alice", "comment": "looks good"},
            "policy": "digits",
        }
    ],
    "ModelDeployment": [
        {
            "model": {"name": "digits", "alias": "champion", "promotedOnly": True},
            "backend": "Deployment",
            "server": {
                "protocol": "seldon",
                "image": "registry.example.org/team/server:1",
                "resources": {"requests": {"cpu": "500m"}, "limits": {"cpu": 2, "memory": "1Gi"}},
                "env": _CONTAINER["env"],
                "envFrom": [{"secretRef": {"name": "settings"}}],
            },
            "podTemplate": _TEMPLATE,
            "replicas": 2,
            "autoscaling": {"minReplicas": 2, "maxReplicas": 5, "targetCPUUtilizationPercentage": 70},
            "validation": {"compatibility": "Warn", "signature": "Ignore", "smokeTest": False},
            "paused": False,
            "progressDeadlineSeconds": 600,
            "route": {
                "gateway": {"name": "web", "namespace": "infra"},
                "hostnames": ["*.example.org", "digits"],
                "pathPrefix": "/team-a/digits.v2",
            },
            "rollout": {
                "strategy": "Canary",
                "surge": "Allow",
                "steps": [{"setWeight": 10}, {"pause": {"seconds": 60}}, {"setWeight": 50}, {"pause": {}}],
                "withoutRoute": "Refuse",
                "analysis": {
                    "intervalSeconds": 15,
                    "initialDelaySeconds": 30,
                    "failureLimit": 2,
                    "minSamples": 100,
                    "metrics": [
                        {"name": "errors", "builtin": "ErrorRate", "max": "0.01", "maxOverStable": "0.005"},
                        {"name": "drift", "prometheus": {"query": "drift"}, "min": "-0.2", "max": "0.2"},
                    ],
                },
            },
            "rollback": {"skipFailedVersions": True, "moveAliasBack": True},
            "revisionHistoryLimit": 10,
        },
        {
            "model": {"name": "digits", "version": "7"},
            "route": {"gateway": {"name": "web"}, "hostnames": ["a.b"]},
            "rollout": {
                "strategy": "Shadow",
                "steps": [{"pause": {"seconds": 600}}],
                "mirrorPercent": 50,
                "analysis": {"metrics": [_DISAGREES | {"tolerance": "0.5"}]},
            },
        },
    ],
}

RULES: dict[str, list[tuple[str, str, Any]]] = {
    "TrainingJob": [
        ("spec.trainer.env holds a name that", "trainer.env", [{"name": "MLFLOW_RUN_ID", "value": "x"}]),
        ("spec.prepare.env holds a name that", "prepare.env", [{"name": "LD_PRELOAD", "value": "x"}]),
        ("spec.parameters: a value may not hold the character NUL", "parameters[].value", "a\0b"),
        ("spec.datasets: a name is made of", "datasets[].name", "a b"),
        ("spec.datasets: a uri may not hold spaces", "datasets[].uri", "s3://a b"),
        ("spec.datasets: a uri may not hold a password", "datasets[].uri", "https://me:secret@host/x"),
        ("spec.retry.onOutOfMemory.memoryFactor must be more than 1", "retry.onOutOfMemory.memoryFactor", "1.0"),
        ("spec.retry.onOutOfMemory needs spec.trainer.resources.limits.memory", "trainer.resources", {}),
        ("spec.checkpoint.mountPath", "checkpoint.mountPath", "/"),
        ("a tag's name may not begin with modelyard.io/", "tracking.tags[].name", "modelyard.io/attempt"),
        ("an alias may not be 'latest'", "model.aliases[]", "v7"),
        ("spec.source needs exactly one of", "source.configMap", MISSING),
        ("spec.source.git.url must begin with", "source.git.url", "file:///etc"),
        ("spec.source.git.url must be scheme://host/path", "source.git.url", "ssh://me:secret@host/x"),
        ("spec.source.git.url may not hold a user", "source.git.url", "https://me@host/x"),
        ("spec.source.git.revision must be", "source.git.revision", "a..b"),
        ("spec.source.git.path must be", "source.git.path", "a/../../b"),
        ("spec.source.git.secretRef is not sent over http://", "source.git.url", "http://host/x"),
        ("spec.source.git.secretRef is needed for ssh://", "source.git.secretRef", MISSING),
        ("spec.mlproject needs spec.source", "source", MISSING),
        ("spec.mlproject runs the command", "mlproject", {}),
        ("spec.nodes above 1 needs spec.trainer.command", "trainer.command", MISSING),
        ("spec.tracking.systemMetrics needs spec.trainer.command", "trainer.command", MISSING),
        ("metadata.name must be at most 50", "metadata.name", "digits.v2"),
        ("metadata.name may have 44 characters where spec.nodes", "metadata.name", "x" * 45),
    ],
    "PromotionPolicy": [
        ("spec.gates: a gate needs exactly one of", "gates[].min", MISSING),
        ("spec.gates: goal says which way", "gates[].goal", "Minimize"),
        ("spec.target.alias must be another", "target.alias", "candidate"),
        ("an alias may not be 'latest'", "candidate.alias", "v7"),
        ("metadata.name must be at most 40", "metadata.name", "x" * 41),
    ],
    "Promotion": [
        ("spec.gates: a gate needs exactly one of", "gates[].max", MISSING),
        ("spec.gates: goal says which way", "gates[].goal", "Minimize"),
        ("spec.approval.by is needed", "approval.by", MISSING),
        ("an alias may not be 'latest'", "target.alias", "latest"),
        ("metadata.name must be at most 52", "metadata.name", "x" * 53),
    ],
    "ModelDeployment": [
        ("spec.model needs exactly one of alias", "model.version", "7"),
        ("spec.autoscaling.minReplicas may not be above", "autoscaling.minReplicas", 6),
        ("spec.autoscaling needs spec.server.resources", "server.resources", {}),
        ("spec.server.env holds a name that", "server.env", [{"name": "MLSERVER_MODEL_URI", "value": "x"}]),
        ("an alias may not be 'latest'", "model.alias", "latest"),
        ("spec.route needs hostnames, or a pathPrefix", "route.hostnames", MISSING),
        ("spec.route.hostnames: a host is", "route.hostnames[]", "https://example.org"),
        ("spec.route.hostnames: a host is", "route.hostnames[]", "10.0.0.1"),
        ("spec.route.pathPrefix is '/', or", "route.pathPrefix", "/a/../b"),
        ("spec.route.pathPrefix is '/', or", "route.pathPrefix", "/digits/"),
        ("metadata.name must be at most 40", "metadata.name", "7digits"),
        ("spec.rollout.steps belong to strategies Canary and", "rollout.strategy", "RollingUpdate"),
        ("spec.rollout.mirrorPercent belongs to", "rollout.mirrorPercent", 50),
        ("spec.rollout.steps: a Shadow answers no client", "rollout.steps", [{"setWeight": 10}]),
        ("spec.rollout.strategy Shadow needs spec.route", "route", MISSING),
        ("spec.rollout.withoutRoute belongs to", "rollout", {"withoutRoute": "Refuse"}),
        ("spec.rollout.surge cannot be Forbid", "rollout.surge", "Forbid"),
        ("spec.rollout.steps has to begin with setWeight", "rollout.steps", [{"pause": {}}]),
        ("spec.rollout.steps: a setWeight may not be below", "rollout.steps", [{"setWeight": 50}, {"setWeight": 20}]),
        ("spec.rollout.steps: each step has exactly one of", "rollout.steps", [{}]),
        ("spec.rollout.analysis judges a share", "rollout", {"analysis": {"metrics": [_ERRORS]}}),
        ("spec.rollout.analysis.metrics[] needs exactly one", "rollout.analysis.metrics[].builtin", MISSING),
        ("spec.rollout.analysis.metrics[].builtin needs max", "rollout.analysis.metrics[].max", MISSING),
        ("spec.rollout.analysis.metrics[].prometheus needs", "rollout.analysis.metrics", [_DRIFT]),
        (
            "spec.rollout.analysis.metrics[].maxOverStable is for",
            "rollout.analysis.metrics",
            [_DRIFT | {"max": "1", "maxOverStable": "1"}],
        ),
        (
            "spec.rollout.analysis.metrics[].min may not be above",
            "rollout.analysis.metrics",
            [_DRIFT | {"min": "1", "max": "0.5"}],
        ),
        ("spec.rollout.analysis.metrics[].max and maxOverStable", "rollout.analysis.metrics[].max", "1.5"),
        ("spec.rollout.analysis.metrics[].builtin Disagreement belongs", "rollout.analysis.metrics", [_DISAGREES]),
        ("spec.rollout.analysis.metrics[].builtin Disagreement needs", "server", {"protocol": "seldon"}),
        (
            "spec.rollout.analysis.metrics[].tolerance is for",
            "rollout.analysis.metrics",
            [_ERRORS | {"tolerance": "1"}],
        ),
        ("spec.rollout.analysis.metrics[].tolerance has to be", "rollout.analysis.metrics[].tolerance", "0.0"),
        (
            "spec.rollout.analysis.metrics may hold one",
            "rollout.analysis.metrics",
            [_DISAGREES, _DISAGREES | {"name": "too"}],
        ),
        (
            "spec.rollout.analysis.metrics[].prometheus.query",
            "rollout.analysis.metrics",
            [{"name": "drift", "prometheus": {"query": "drift{pod={{pods}}}"}, "max": "1"}],
        ),
    ],
}
"""How a rule's message begins, and a value of a field that breaks it. Rules about changes need none: RULES of a schema
that look at what was before are broken by every change."""

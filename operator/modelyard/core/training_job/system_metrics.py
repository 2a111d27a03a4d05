"""System metrics: MLflow's client measures the pod while the run is open, where the image can do that."""

from modelyard.api.training_job import TrainingJobSpec
from modelyard.core.tracking import Ended

_SWITCH = "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING"
_CHECK = f"""\
case "${{1##*/}}" in python*) python=$1 ;; *) python=python; command -v python >/dev/null || python=python3 ;; esac
if "$python" -c "import psutil" 2>/dev/null; then export {_SWITCH}=true; else
unset {_SWITCH}
echo "modelyard: spec.tracking.systemMetrics: $python has no psutil: add it to the image; \
the training goes on without system metrics" >&2
fi"""
"""Without psutil mlflow.start_run() raises, and whether it is there can be asked in the image only.

Asked is the Python that the command names, else the first that is found, which scripts and launchers begin with too.
"""
_NODE = 'export MLFLOW_SYSTEM_METRICS_NODE_ID="$NODE_RANK"'
_MISSING = (
    "; it has no system metrics: the pod's log says whether its image lacks psutil; a run shorter than "
    "MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL (10 s), and one that the code never starts, has none either"
)


def steps(spec: TrainingJobSpec) -> list[str]:
    """What the shell does; several pods are told apart in the metrics' names."""
    if not spec.tracking.system_metrics:
        return []
    return [_NODE, _CHECK] if spec.nodes > 1 else [_CHECK]


def remark(spec: TrainingJobSpec, ended: Ended) -> str:
    """What is to be said of a run that was to have system metrics and has none."""
    return _MISSING if spec.tracking.system_metrics and not ended.has_system_metrics else ""

"""What a model server tells on its port of metrics."""

from collections.abc import Mapping

INFER = "/v2/models/{model_name}/infer"
BOUNDS = ("0.005", "0.01", "0.05", "0.1", "0.5", "1.0", "10.0", "+Inf")


def counted(requests: int, errors: int = 0, path: str = INFER, seconds: float = 0.02) -> str:
    """The metrics of a server that answered so many predictions, each within these seconds."""
    codes: Mapping[str, int] = {"200": requests - errors, "500": errors}
    lines = [
        "# HELP rest_server_requests_total Total HTTP requests",
        "# TYPE rest_server_requests_total counter",
    ]
    lines += [
        f'rest_server_requests_total{{app_name="mlserver",method="POST",path="{path}",status_code="{code}"}} {count}.0'
        for code, count in codes.items()
    ]
    lines.append("# TYPE rest_server_request_duration_seconds histogram")
    for code, count in codes.items():
        labels = f'app_name="mlserver",method="POST",path="{path}",status_code="{code}"'
        lines += [
            f'rest_server_request_duration_seconds_bucket{{{labels},le="{bound}"}} '
            f"{float(count if float(bound) >= seconds else 0)}"
            for bound in BOUNDS
        ]
        lines.append(f"rest_server_request_duration_seconds_count{{{labels}}} {float(count)}")
    return "\n".join(lines) + "\n"

"""MLflow's webhooks on the demo's installation."""

import yaml

from tools.demo import install, webhooks


def test_deliveries_go_to_the_service_that_the_chart_makes() -> None:
    template = (install.CHART / "templates" / "operator" / "webhook-service.yaml").read_text("utf-8")
    default = yaml.safe_load((install.CHART / "values.yaml").read_text("utf-8"))["mlflow"]["webhook"]

    assert 'name: {{ include "modelyard.fullname" . }}-webhook' in template
    assert default["port"] == webhooks.PORT
    assert webhooks.URL.startswith("http://modelyard-webhook.modelyard-system.svc:")

"""The kinds of objects the operator deals with, and where the API server keeps them."""

from dataclasses import dataclass
from urllib.parse import quote

from modelyard.api import names
from modelyard.core.plan import Manifest


@dataclass(frozen=True)
class Resource:
    """One kind of object as the API server serves it."""

    group: str
    """Empty for the core group."""
    version: str
    plural: str
    kind: str

    @property
    def api_version(self) -> str:
        """As manifests write it: group and version, or the version alone for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """The URL's path: without a name that of all objects, without a namespace that of all namespaces."""
        parts = ["apis", self.group, self.version] if self.group else ["api", self.version]
        parts += ["namespaces", namespace] if namespace else []
        parts += [self.plural, *(part for part in (name, subresource) if part)]
        return "/" + "/".join(quote(part, safe="") for part in parts)

    def __str__(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


NAMESPACES = Resource("", "v1", "namespaces", "Namespace")
PODS = Resource("", "v1", "pods", "Pod")
SERVICES = Resource("", "v1", "services", "Service")
JOBS = Resource("batch", "v1", "jobs", "Job")
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
AUTOSCALERS = Resource("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler")
DISRUPTION_BUDGETS = Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")
EVENTS = Resource("events.k8s.io", "v1", "events", "Event")
SELDON_DEPLOYMENTS = Resource("machinelearning.seldon.io", "v1", "seldondeployments", "SeldonDeployment")
HTTP_ROUTES = Resource("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute")
GATEWAYS = Resource("gateway.networking.k8s.io", "v1", "gateways", "Gateway")
GATEWAY_CLASSES = Resource("gateway.networking.k8s.io", "v1", "gatewayclasses", "GatewayClass")
TRAINING_JOBS = Resource(names.GROUP, names.VERSION, "trainingjobs", "TrainingJob")
PROMOTION_POLICIES = Resource(names.GROUP, names.VERSION, "promotionpolicies", "PromotionPolicy")
PROMOTIONS = Resource(names.GROUP, names.VERSION, "promotions", "Promotion")
MODEL_DEPLOYMENTS = Resource(names.GROUP, names.VERSION, "modeldeployments", "ModelDeployment")

ALL = (
    NAMESPACES,
    PODS,
    SERVICES,
    JOBS,
    DEPLOYMENTS,
    AUTOSCALERS,
    DISRUPTION_BUDGETS,
    LEASES,
    EVENTS,
    SELDON_DEPLOYMENTS,
    HTTP_ROUTES,
    GATEWAYS,
    GATEWAY_CLASSES,
    TRAINING_JOBS,
    PROMOTION_POLICIES,
    PROMOTIONS,
    MODEL_DEPLOYMENTS,
)
_BY_KIND = {(resource.api_version, resource.kind): resource for resource in ALL}


def resource_of(manifest: Manifest) -> Resource:
    """The resource of a manifest.

    Raises:
        LookupError: the operator does not deal with this kind.
    """
    return find_resource(manifest["apiVersion"], manifest["kind"])


def find_resource(api_version: str, kind: str) -> Resource:
    """The resource of this apiVersion and kind.

    Raises:
        LookupError: the operator does not deal with this kind.
    """
    try:
        return _BY_KIND[api_version, kind]
    except KeyError:
        raise LookupError(
            f"{kind} of {api_version} is not a kind this operator deals with; add it to {__name__}"
        ) from None

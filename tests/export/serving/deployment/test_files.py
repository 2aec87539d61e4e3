"""The deployment's files, read as Kubernetes, Docker and TensorFlow Serving read them."""

import json
import re

import kubernetes_validate
import pytest
import yaml
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from tensorflow_serving.apis import prediction_service_pb2

from export.serving.deployment import files
from export.serving.deployment.server import FLAGS, IMAGE, NUM_CPUS, NUM_REQUESTS, Sizing

OLDEST = "1.28"  # that has schemas here; the health check over gRPC is there from 1.27 on
SIZING = Sizing(max_pixels=4_000_000, drawing_size=1000, bytes_per_pixel=500.0)


@pytest.fixture(scope="module")
def texts():
    return files.texts("Sun_2", ["Sun_2", "rain"], 7, SIZING)


@pytest.fixture
def manifest(texts):
    """The objects of the manifest, by their kind."""
    return {each["kind"]: each for each in yaml.safe_load_all(texts[files.KUBERNETES])}


def test_nothing_is_left_to_fill_in(texts):
    assert set(texts) == {"Dockerfile", "kubernetes.yaml", "monitoring.config"}
    assert not any("{{" in text for text in texts.values())


@pytest.mark.parametrize("version", [OLDEST, kubernetes_validate.latest_version()])
def test_kubernetes_takes_the_manifest(manifest, version):
    assert list(manifest) == ["Deployment", "Service", "HorizontalPodAutoscaler"]
    for each in manifest.values():
        kubernetes_validate.validate(each, version, strict=True)
    (container,) = manifest["Deployment"]["spec"]["template"]["spec"]["containers"]
    container["readinessProbe"]["httpGet"]["prot"] = "rest"
    with pytest.raises(kubernetes_validate.ValidationError, match="prot"):
        kubernetes_validate.validate(manifest["Deployment"], version, strict=True)


def test_the_objects_of_the_manifest_belong_together(manifest):
    deployment, service, autoscaler = (each["spec"] for each in manifest.values())
    labels = deployment["template"]["metadata"]["labels"]
    assert deployment["selector"]["matchLabels"] == service["selector"] == labels
    (container,) = deployment["template"]["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"grpc": 8500, "rest": 8501}
    assert {port["targetPort"]: port["port"] for port in service["ports"]} == ports
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": manifest["Deployment"]["metadata"]["name"]}
    assert autoscaler["scaleTargetRef"] == target and "replicas" not in deployment


def test_a_pod_is_ready_when_its_model_is_and_alive_while_it_draws(manifest):
    (container,) = manifest["Deployment"]["spec"]["template"]["spec"]["containers"]
    of_model = {"path": "/v1/models/Sun_2", "port": "rest"}
    assert container["startupProbe"]["httpGet"] == container["readinessProbe"]["httpGet"] == of_model
    service = prediction_service_pb2.DESCRIPTOR.services_by_name["PredictionService"].name
    assert container["livenessProbe"]["grpc"] == {"port": 8500, "service": service}
    assert "--enable_grpc_healthcheck_service=true" in container["args"]


def test_a_pod_has_the_memory_of_its_requests_and_threads_for_its_processors(manifest):
    (container,) = manifest["Deployment"]["spec"]["template"]["spec"]["containers"]
    memory = {kind: amounts["memory"] for kind, amounts in container["resources"].items()}
    gigabytes = {kind: float(amount.removesuffix("Mi")) * 2**20 / 1e9 for kind, amount in memory.items()}
    assert gigabytes == pytest.approx({"requests": 1 + NUM_REQUESTS * 0.5, "limits": 1 + NUM_REQUESTS * 2.0}, abs=0.002)
    assert [amounts["cpu"] for amounts in container["resources"].values()] == [str(NUM_CPUS)] * 2
    assert container["args"][: len(FLAGS)] == list(FLAGS)
    for threads in ("intra", "inter"):
        assert f"--tensorflow_{threads}_op_parallelism={NUM_CPUS}" in container["args"]


def test_without_a_drawing_size_requests_may_be_the_largest():
    sizing = Sizing(max_pixels=4_000_000, drawing_size=0, bytes_per_pixel=500.0)
    assert sizing.usual_bytes == sizing.largest_bytes == 2e9 and sizing.requested_bytes == sizing.most_bytes
    assert Sizing(max_pixels=100, drawing_size=1000, bytes_per_pixel=5.0).usual_bytes == 500


def test_the_image_holds_every_model_and_starts_with_the_flags(texts, manifest):
    lines = texts[files.DOCKERFILE].replace("\\\n", "").splitlines()
    steps = [line.partition(" ")[::2] for line in lines if not line.startswith("#")]
    assert steps[0] == ("FROM", IMAGE)
    copies = [arguments.split() for step, arguments in steps if step == "COPY"]
    assert copies == [
        ["models.config", "monitoring.config", "/models/"],
        ["Sun_2", "/models/Sun_2"],
        ["rain", "/models/rain"],
    ]
    assert steps[-1][0] == "CMD" and json.loads(steps[-1][1]) == list(FLAGS)
    (container,) = manifest["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "cartoons:Sun_2-7" and f"-t {container['image']} " in texts[files.DOCKERFILE]
    assert re.fullmatch(r"[a-z]+:[\w.-]{1,128}", container["image"])


def _monitoring_config():
    """An empty message tensorflow.serving.MonitoringConfig, which tensorflow-serving-api leaves out."""
    file = descriptor_pb2.FileDescriptorProto(name="monitoring_config.proto", package="serving", syntax="proto3")
    prometheus = file.message_type.add(name="PrometheusConfig")
    prometheus.field.add(name="enable", number=1, type=8, label=1)
    prometheus.field.add(name="path", number=2, type=9, label=1)
    config = file.message_type.add(name="MonitoringConfig")
    config.field.add(name="prometheus_config", number=1, type=11, label=1, type_name=".serving.PrometheusConfig")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("serving.MonitoringConfig"))()


def test_the_server_shows_its_metrics_where_prometheus_looks(texts, manifest):
    config = text_format.Parse(texts["monitoring.config"], _monitoring_config()).prometheus_config
    annotations = manifest["Deployment"]["spec"]["template"]["metadata"]["annotations"]
    assert config.enable and annotations["prometheus.io/path"] == config.path == "/monitoring/prometheus/metrics"
    assert "--monitoring_config_file=/models/monitoring.config" in FLAGS
    with pytest.raises(text_format.ParseError):
        text_format.Parse("prometheus_config { enabled: true }", _monitoring_config())

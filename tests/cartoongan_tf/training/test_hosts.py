"""Training on two hosts that are really apart: network namespaces with a link between them; needs root."""

import signal

import numpy as np
import pytest

from benchmarks import host_steps, virtual_hosts
from benchmarks.host_faults import HostTraining, cut_link, kill
from benchmarks.host_steps import Request, ask, leave, weights_of
from cartoongan_tf.training.schedule import INITIALIZATION
from tests.helpers import TINY_NETWORKS

REASON = virtual_hosts.reason_against()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.exclusive,
    pytest.mark.skipif(bool(REASON), reason=f"no virtual hosts: {REASON}"),
]
RECIPE = {
    "vgg19_weights": "random",
    "initialization_loss": "pixels",
    "generator_width": 16,
    "generator_num_blocks": 4,
    "discriminator_width": 4,
    "batch_size": 2,
    "crop_size": 32,
    "pool_size": 0,
    "adversarial_epochs": 0,
}
NUM_STEPS = 10


@pytest.fixture(scope="module")
def hosts():
    with virtual_hosts.virtual_hosts() as hosts:
        hosts.limit("1gbit", delay_ms=1.0)
        yield hosts


def _steps(hosts, precision, folder):
    """Run steps on both hosts; return their answers, and all weights of each."""
    with hosts.started(host_steps.command(RECIPE | {"gradient_precision": precision})) as both:
        ask(both, Request(INITIALIZATION, 1))
        answers = ask(both, Request(INITIALIZATION, NUM_STEPS, weights_dir=str(folder)))
        leave(both)
        assert [process.wait(60) for process in both] == [0, 0], both[0].output
    return answers, [weights_of(folder, host) for host in (0, 1)]


def test_weights_are_equal_and_bfloat16_halves_what_is_sent(hosts, tmp_path):
    answers, weights = {}, {}
    for precision in ("float32", "bfloat16"):
        answers[precision], weights[precision] = _steps(hosts, precision, tmp_path)
        for ours, theirs in zip(*weights[precision], strict=True):
            np.testing.assert_array_equal(ours, theirs)
    num_bytes = 4 * sum(each.size for each in weights["float32"][0])
    for host in (0, 1):
        sent = {precision: answers[precision][host].sent_bytes / NUM_STEPS for precision in answers}
        assert 0.9 * num_bytes < sent["float32"] < 1.1 * num_bytes
        assert 0.49 < sent["bfloat16"] / sent["float32"] < 0.52
        losses = [answers[precision][host].scalars["content_loss"] for precision in answers]
        np.testing.assert_allclose(*losses, rtol=0.01)
        assert losses[0] != losses[1]


def test_a_short_cut_is_survived_and_a_lost_worker_costs_the_steps_since_the_last_checkpoint(hosts, data_dir, tmp_path):
    flags = [f"--data_dir={data_dir}", "--vgg19_weights=random", *TINY_NETWORKS, "--initialization_loss=pixels"]
    flags += [
        "--batch_size=4",
        "--initialization_epochs=100000",
        "--adversarial_epochs=0",
        "--checkpoint_every_steps=50",
    ]
    with HostTraining(hosts, tmp_path / "run", flags) as training:
        training.wait_for_checkpoint()
        cut = training.suffer(cut_link(5.0))
        assert cut.endings == {} and cut.resumed is None
        lost = training.suffer(kill(1))
        assert lost.endings[0].status == 1 and lost.endings[1].status == -signal.SIGKILL
        assert lost.message.startswith("another worker was lost, cannot be reached") and "same command" in lost.message
        assert lost.resumed == lost.saved >= 50
        assert training.stop() == [128 + signal.SIGTERM] * 2

"""The Dockerfile is never built here, so what it takes for granted is checked."""

import configparser
import fnmatch
import re

from packaging.requirements import Requirement

from tests.helpers import REPOSITORY

DOCKERFILE = (REPOSITORY / "Dockerfile").read_text().replace("\\\n", " ")
SETUP = configparser.ConfigParser()
SETUP.read(REPOSITORY / "setup.cfg")


def _copied():
    for line in re.findall(r"^COPY (.*)$", DOCKERFILE, re.MULTILINE):
        yield from line.split()[:-1]


def test_what_is_copied_is_there_and_let_through():
    allowed = [line[1:] for line in (REPOSITORY / ".dockerignore").read_text().split() if line.startswith("!")]
    copied = list(_copied())
    assert copied and set(copied) == set(allowed)
    assert all((REPOSITORY / name).exists() for name in copied)


def test_every_package_and_all_that_setup_reads_is_copied():
    copied = set(_copied())
    packages = {pattern.removesuffix("*") for pattern in SETUP["options.packages.find"]["include"].split()}
    assert packages <= copied
    read = {SETUP["metadata"]["license_files"], SETUP["metadata"]["long_description"].removeprefix("file: ")}
    assert read | {"setup.py", "setup.cfg", "pyproject.toml", "constraints.txt"} <= copied


def test_the_image_s_tensorflow_is_one_that_we_take_and_test():
    (version,) = re.findall(r"^ARG TENSORFLOW=(\S+)$", DOCKERFILE, re.MULTILINE)
    lines = SETUP["options"]["install_requires"].split()
    (requirement,) = (Requirement(line) for line in lines if line.startswith("tensorflow>"))
    assert version in requirement.specifier
    assert f"\ntensorflow=={version}\n" in (REPOSITORY / "constraints.txt").read_text()
    assert version in (REPOSITORY / "docs" / "install.md").read_text()


def test_extras_and_commands_are_ours():
    install = (REPOSITORY / "docs" / "install.md").read_text()
    extras = re.findall(r"\[([\w,]+)\]'", DOCKERFILE + install)
    assert extras and all(name in SETUP["options.extras_require"] for names in extras for name in names.split(","))
    scripts = re.findall(r"^(\S+) = ", SETUP["options.entry_points"]["console_scripts"].replace("    ", ""), re.M)
    for command in re.findall(r"\bcartoongan-[a-z]+-?[a-z]*\b", re.sub(r"cartoongan-tf", "", DOCKERFILE + install)):
        assert command in scripts, command
    assert not fnmatch.filter(scripts, "cartoongan-cartoonize")  # it is `cartoonize`

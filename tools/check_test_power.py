"""A check of the tests' power: each hand-made fault is applied to a copy of a tree, and the tests must notice it.

    python tools/check_test_power.py --results=before.json
    python tools/check_test_power.py --results=after.json --before=before.json

tools/mutants.toml lists the faults. The copy holds the tree's last commit. Results are written after each fault, so an
interrupted check resumes when the same command is given again. It takes about half an hour and is no part of CI.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
FAULTS = Path(__file__).with_name("mutants.toml")
TIMEOUT_SECS = 900


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tree", type=Path, default=REPOSITORY, help="the checkout to test; this one by default")
    parser.add_argument("--only", action="append", help="the name of a fault; may be repeated")
    parser.add_argument("--results", type=Path, default=Path("test_power.json"), help="file to write and resume from")
    parser.add_argument("--before", type=Path, default=Path(), help="the results of an earlier tree, for the table")
    options = parser.parse_args()
    faults = tomllib.loads(FAULTS.read_text(encoding="utf-8"))
    chosen = {name: fault for name, fault in faults.items() if not options.only or name in options.only}
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "copy").resolve()
        subprocess.run(["git", "clone", "--quiet", options.tree, copy], check=True)
        require_own_import(copy)
        before = read_results(options.before)["faults"]
        results = check_all(copy, chosen, options.results, before)
    print_table(chosen, results, before)


def check_all(copy: Path, faults: dict[str, dict], path: Path, before: dict[str, dict]) -> dict[str, dict]:
    """Check faults until every test that caught one is known to pass without it; return the results by name.

    A test that fails without a fault is set aside, and what it seemed to catch is checked again. The test that caught a
    fault before is run first.
    """
    results = read_results(path)
    while True:
        for name, fault in faults.items():
            if name not in results["faults"]:
                results["faults"][name] = check(copy, fault, before.get(name, {}).get("by"), results["failing"])
                path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
                print(f"{name}: {results['faults'][name]}", flush=True)
        unsure = {result["by"] for result in results["faults"].values()} - {"", *results["passing"]}
        if not unsure:
            return results["faults"]
        failing = run_tests(copy, sorted(unsure))[1]
        results["failing"] += failing
        results["passing"] += sorted(unsure - set(failing))
        results["faults"] = {name: result for name, result in results["faults"].items() if result["by"] not in failing}
        path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def check(copy: Path, fault: dict, first: str | None, failing: list[str]) -> dict[str, str]:
    """Apply a fault to the copy, run the test `first` and then all of its tests, and undo it.

    Returns:
      "result", and "by": the test that caught it, or "".
    """
    tests = [file for pattern in fault["tests"] for file in sorted(copy.glob(pattern))]
    file, changed = apply(copy, fault["anchors"])
    if file is None or not tests:
        return {"result": "anchor or tests not found", "by": ""}
    original = file.read_text(encoding="utf-8")
    file.write_text(changed, encoding="utf-8")
    try:
        status, names = run_tests(copy, [first]) if first and first not in failing else (0, [])
        if not names:
            status, names = run_tests(copy, ["--exitfirst", *(f"--deselect={test}" for test in failing), *tests])
    except subprocess.TimeoutExpired:
        return {"result": f"timed out after {TIMEOUT_SECS} s", "by": ""}
    finally:
        file.write_text(original, encoding="utf-8")
    result = "not caught" if status == 0 else f"pytest ended with status {status}"
    return {"result": "caught", "by": names[0]} if names else {"result": result, "by": ""}


def apply(copy: Path, anchors: list[list[str]]) -> tuple[Path | None, str]:
    """Return the file of the first anchor that stands exactly once in the tree, and its text with the fault."""
    for pattern, old, new in anchors:
        texts = {file: file.read_text(encoding="utf-8") for file in sorted(copy.glob(pattern))}
        files = [file for file, text in texts.items() if old in text]
        if len(files) == 1 and texts[files[0]].count(old) == 1:
            changed = texts[files[0]].replace(old, new)
            compile(changed, files[0], "exec")  # a fault that is no Python would prove nothing
            return files[0], changed
    return None, ""


def run_tests(copy: Path, arguments: list) -> tuple[int, list[str]]:
    """Run pytest in the copy; return its exit status and the tests that failed. Raises TimeoutExpired."""
    command = [sys.executable, "-m", "pytest", "--quiet", "--tb=no", "-p", "no:cacheprovider", *arguments]
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            command, cwd=copy, env=environment(copy), stdout=output, stderr=output, start_new_session=True
        )
        try:
            status = process.wait(TIMEOUT_SECS)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)  # with the processes that tests have started
                process.wait()
        output.seek(0)
        return status, re.findall(r"^(?:FAILED|ERROR) (tests/.*?)(?: - .*)?$", output.read(), re.MULTILINE)


def environment(copy: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}


def require_own_import(copy: Path) -> None:
    """Exit unless Python imports the package from the copy: it may be installed from elsewhere."""
    command = [sys.executable, "-c", "import cartoongan_tf; print(cartoongan_tf.__file__)"]
    imported = subprocess.run(command, cwd=copy.parent, env=environment(copy), capture_output=True, text=True)
    if not imported.stdout.startswith(str(copy)):
        sys.exit(f"cartoongan_tf is imported from {imported.stdout.strip()}, not from {copy}")


def read_results(path: Path) -> dict:
    """Read a results file: the faults, and the tests that pass or fail without one. There need not be a file yet."""
    if path.is_file():
        return json.loads(path.read_text(encoding="utf-8"))
    return {"faults": {}, "passing": [], "failing": []}


def print_table(names: dict, results: dict[str, dict], before: dict[str, dict]) -> None:
    print("| fault | before | now |\n| --- | --- | --- |")
    for name in names:
        earlier = before.get(name, {"result": "-", "by": ""})
        lost_by = f" (before: {earlier['by']})" if earlier["by"] and not results[name]["by"] else ""
        print(f"| {name} | {earlier['result']} | {results[name]['result']}{lost_by} |")
    print(f"\n{sum(bool(results[name]['by']) for name in names)} of {len(names)} faults are caught.")


if __name__ == "__main__":
    main()

"""Requests that nobody thought of, made from the API's own description: none is answered with a fault of ours."""

import os
import subprocess
import sysconfig
from pathlib import Path

import pytest

from apps.tenk.tests.service.running import TOKEN
from tenk.service.access import HEADER

SCHEMATHESIS = Path(sysconfig.get_path("scripts")) / "schemathesis"
CHECKS = "not_a_server_error,response_schema_conformance,content_type_conformance,status_code_conformance"


@pytest.mark.slow
def test_no_request_is_answered_with_a_fault_of_ours(serving, tmp_path):
    service = serving()
    service.ended(service.begin(sample="quellmark-2025"))
    done = subprocess.run(
        [
            SCHEMATHESIS, "run", f"{service.url}/api/openapi.json", "--header", f"{HEADER}: {TOKEN}", "--no-color",
            "--checks", CHECKS, "--max-examples", "40", "--request-timeout", "30",
            "--generation-deterministic", "--warnings", "off",
        ],
        cwd=tmp_path,
        env={**os.environ, "NO_PROXY": "*"},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
    assert service.http.get("/api/setup").status_code == 200

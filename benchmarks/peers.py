"""Who is compared: the packages of each environment, the client's file, and what an import of it is."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import requires

from harness import NotInstalled, environment
from packaging.requirements import Requirement

CORE = tuple(line for line in requires("ingather") or () if Requirement(line).marker is None)


@dataclass(frozen=True)
class Peer:
    """One way of making the calls.

    `packages`: what its environment holds, none for ours. `distribution`: whose version the table
    shows. `imports`: the statement that is timed. `python312`: needs Python 3.12. `share`: of the
    calls at 1,000 in flight, less for those that would take minutes.
    """

    name: str
    folder: str
    file: str
    packages: tuple[str, ...]
    distribution: str
    imports: str
    python312: bool = False
    share: float = 1.0

    def environment(self, python312: str | None = None) -> str:
        """Its interpreter, in an environment that is built where it is missing. Raises NotInstalled."""
        if not self.packages:
            return sys.executable
        if not self.python312 or sys.version_info >= (3, 12):
            return environment(self.folder, *self.packages)
        return environment(self.folder, *self.packages, python=_python312(python312))

    def version(self, python: str) -> tuple[str, str]:
        """The versions of its package and of its Python."""
        code = f"import platform; from importlib.metadata import version as v; print(v({self.distribution!r}))"
        command = [python, "-c", f"{code}; print(platform.python_version())"]
        package, interpreter = subprocess.run(
            command, check=True, capture_output=True, text=True
        ).stdout.split()
        return package, interpreter


PEERS = (
    Peer("ingather", "", "ingather_executor.py", (), "ingather", "import ingather"),
    Peer("openai", "openai", "openai_gather.py", ("openai",), "openai", "import openai"),
    Peer(
        "openai[aiohttp]",
        "openai-aiohttp",
        "openai_aiohttp.py",
        ("openai[aiohttp]",),
        "openai",
        "import openai",
    ),
    Peer(
        "Instructor",
        "instructor",
        "instructor_gather.py",
        ("instructor", *CORE),  # CORE: examples/wrapped_… runs in this environment too
        "instructor",
        "from instructor import from_openai",
    ),
    Peer(
        "litellm", "litellm", "litellm_gather.py", ("litellm", *CORE), "litellm", "import litellm"
    ),
    Peer(
        "LangChain",
        "langchain",
        "langchain_abatch.py",
        ("langchain-openai", *CORE),
        "langchain-openai",
        "from langchain_openai import ChatOpenAI",
    ),
    Peer(
        "dataknobs-llm",
        "dataknobs",
        "dataknobs_executor.py",
        ("dataknobs-llm", "openai"),
        "dataknobs-llm",
        "import dataknobs_llm",
        python312=True,
    ),
    Peer(
        "async-batch-llm",
        "async-batch-llm",
        "async_batch_llm_prompts.py",
        ("async-batch-llm[openai]",),
        "async-batch-llm",
        "import async_batch_llm",
    ),
    Peer(
        "inspect-ai",
        "inspect-ai",
        "inspect_generate.py",
        ("inspect-ai", "openai"),
        "inspect-ai",
        "import inspect_ai.model",
        share=0.2,
    ),
    Peer(
        "pydantic-ai",
        "pydantic-ai",
        "pydantic_ai_agent.py",
        ("pydantic-ai-slim[openai]",),
        "pydantic-ai-slim",
        "import pydantic_ai",
        share=0.2,
    ),
)


def _python312(given: str | None) -> str:
    """An interpreter of Python 3.12; one on the PATH may be a shim that leads nowhere."""
    for candidate in filter(None, (given, shutil.which("python3.12"))):
        command = [candidate, "-c", "import sys; sys.exit(sys.version_info[:2] != (3, 12))"]
        try:
            if subprocess.run(command, capture_output=True, check=False).returncode == 0:
                return candidate
        except OSError:
            continue
    raise NotInstalled(
        "it needs Python 3.12, and there is none on the PATH: give --python312 or PYTHON312"
    )

"""A model filled from a text by parts: one call a field, all at once, and a function for what needs no model at all."""

import re
from typing import Annotated

from pydantic import BaseModel, Field

from ingather import ExtractTask, ParallelLLMExecutor, Prompt, run_sync

TEXT = """\
Nordlys Marine AS designs and builds aluminium workboats and patrol vessels. The company was founded in 1987, has its
headquarters in Bergen, Norway, and has 412 employees. Its main products are the Skarv pilot boat, the Terne patrol
vessel and the Lom survey catamaran. Revenue was $64.2 million in fiscal 2025, up from $58.9 million. The company
competes with Havfisk Verft and Kvitbjorn Boats, mainly on delivery time and fuel consumption."""


class Headquarters(BaseModel):
    city: str = Field(description="The city where the company has its headquarters.")
    country: str | None = Field(None, description="The country of the headquarters.")


class Company(BaseModel):
    products: list[str] = Field(description="The company's main products, by name.")
    headquarters: Headquarters = Field(description="Where the company has its headquarters.")
    employees: Annotated[int | None, Prompt("How many employees does the company have?")] = None
    competitors: list[str] = Field(default=[], description="The companies with which it competes.")
    revenues: list[float] = Field(
        default=[], description="Filled by code: no model has to read figures."
    )


def revenues(text: str) -> list[float]:
    return [float(found) * 1e6 for found in re.findall(r"\$([\d.]+) million", text)]


# Deterministic and offline; with a key, any other: "openai/gpt-5-mini"
executor = ParallelLLMExecutor("offline/extractive", max_concurrency=5)
task = ExtractTask(TEXT, Company, functions={"revenues": revenues})
result = run_sync(executor.execute({"nordlys": task}))["nordlys"]

print(result.value.model_dump_json(indent=2) if result.success else result.error)
print()
for name, part in result.parts.items():
    print(f"{name:<13} by {part.origin:<7} {part.attempts} call(s), {part.duration_ms:.0f} ms")
print("missing:", ", ".join(result.missing) or "nothing")
print(result.attempts, "calls in all, tokens:", result.usage)

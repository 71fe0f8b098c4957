"""A bundled 10-K, analysed: one section call by call, then all at once, live. No key, no network; leaves a report."""

import asyncio
from pathlib import Path

from ingather import connect
from ingather.testing import Simulator
from tenk import comprehensive_analysis, markdown, open_submission
from tenk.live import view_of
from tenk.outcome import SECTIONS

REPORT = Path("demo-report.md")


async def one_after_another(submission, provider):
    print("Its Item 1, call by call, as a loop would do it:\n", flush=True)
    with view_of(submission, ["business"]) as view:
        only = {"include_mda": False, "include_risk_factors": False, "include_financials": False}
        return await comprehensive_analysis(
            submission, **only, provider=provider, max_concurrency=1, on_event=view
        )


async def all_at_once(submission, provider):
    print("\nAll four sections and all their components, at once:\n", flush=True)
    with view_of(submission, SECTIONS) as view:
        return await comprehensive_analysis(submission, provider=provider, on_event=view)


def tell(name, analysis):
    each = analysis.seconds / analysis.calls
    took = f"{analysis.calls:3} calls in {analysis.seconds:5.1f} s, one each {each:.2f} s"
    print(f"  {name:20} {took}")


def main(latency=0.85, report=REPORT):
    submission = open_submission("quellmark-2025")
    words = len(submission.filing.text.split())
    print(f"{submission.company} (fictional), {submission.filing.form}, {words:,} words.")
    print("An extractive baseline answers, as slowly as a language model would.", end=" ")
    print("It quotes; it does not understand.")
    with Simulator(model="extractive", latency=latency, sigma=0.35) as server:
        provider = connect("openai/simulated", base_url=server.base_url)
        slow = asyncio.run(one_after_another(submission, provider))
        fast = asyncio.run(all_at_once(submission, provider))
    print()
    tell("one after another", slow)
    tell("at once", fast)
    quotes, verified = (
        sum(getattr(s, of) for s in fast.sections.values()) for of in ("quotes", "verified")
    )
    print(f"\n{verified} of {quotes} quotes stand in the filing, word for word.")
    report.write_text(markdown(fast))
    print(f"The report, each claim with its quote: {report}")


if __name__ == "__main__":
    main()

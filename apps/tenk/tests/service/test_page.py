"""The page in a real browser: from a dropped filing to a quote shown in it, whatever happens in between."""

import os
import shutil
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

from apps.tenk.tests.service.running import TOKEN, Gate, cards
from apps.tenk.tests.stand_ins import filing
from ingather.errors import BadRequest

pytestmark = pytest.mark.slow

CHROMIUM = shutil.which("chromium")
WAIT = 60_000  # milliseconds, on a busy machine
expect.set_options(timeout=WAIT)
DROP = """([element, name, bytes]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(bytes)], name));
    for (const kind of ["dragenter", "dragover", "drop"])
        element.dispatchEvent(new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }));
}"""


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--no-proxy-server"]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser):
    """Opens a page at a service's link; in the end nothing has gone wrong in it, and nothing was asked of others."""
    pages = []

    def open_it(service, **how):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **how})
        page = context.new_page()
        page.wrong, page.asked = [], []
        page.on(
            "console",
            lambda said: (
                page.wrong.append(said.text) if said.type in ("error", "warning") else None
            ),
        )
        page.on("pageerror", lambda error: page.wrong.append(str(error)))
        page.on(
            "dialog",
            lambda dialog: (page.wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()),
        )
        page.on("request", lambda request: page.asked.append(request.url))
        page.set_default_timeout(WAIT)
        page.goto(f"{service.url}/?token={TOKEN}")
        pages.append((page, service))
        return page

    yield open_it
    for page, service in pages:
        assert [
            each
            for each in page.wrong
            if "ERR_CONNECTION" not in each and "ERR_INCOMPLETE" not in each
        ] == []
        assert all(url.startswith(service.url) for url in page.asked)
        page.context.close()


def ends(page):
    expect(page.locator(".status .chip")).to_have_text(["✓Done"], timeout=WAIT)


def card(page, section, name):
    return page.locator(f"#card-{section}-{name}")


def marked(page):
    """What is highlighted in the filing, made one line."""
    return " ".join(" ".join(page.locator("mark").all_inner_texts()).split())


def test_from_a_dropped_filing_to_a_quote_shown_in_it(opened, service, filings):
    page = opened(service)
    content = (filings / "nvda-2024.htm").read_bytes()
    page.locator(".drop").wait_for()
    page.evaluate(DROP, [page.locator(".drop").element_handle(), "nvda-2024.htm", list(content)])
    ends(page)
    expect(page.locator("h1")).to_have_text("NVIDIA CORP")
    expect(page.locator(".card[data-status=ok]")).to_have_count(29)
    quote = card(page, "business", "business_segments").locator("button.quote").first
    said = quote.get_attribute("aria-label").partition(": ")[2]
    quote.click()
    mark = page.locator("mark").first
    expect(mark).to_be_in_viewport()
    expect(quote).to_be_in_viewport()
    assert marked(page).split()[:6] == said.split()[:6]
    expect(page.locator("#source .place")).to_contain_text("Item 1")
    assert "token" not in page.url
    shown = page.url
    page.goto(shown)  # the link leads to the quote
    page.reload()
    expect(page.locator("mark").first).to_be_in_viewport()


def test_every_kind_of_filing_can_be_shown_quote_by_quote(opened, service, filings):
    page = opened(service)
    for name in ("aapl-1994.txt", "mrx-1999.htm"):
        page.goto(f"{service.url}/#/")
        page.locator("#file").set_input_files(filings / name)
        ends(page)
        page.get_by_role("button", name="The filing", exact=False).first.click()
        for _ in range(5):
            page.get_by_role("button", name="Next quote").click()
            expect(page.locator("mark").first).to_be_in_viewport()


def test_cards_fill_in_one_by_one_and_a_reload_in_the_middle_loses_nothing(opened, serving):
    gate = Gate(shut=["outlook", "metrics"])
    page = opened(serving({"gate": gate}))
    page.locator("#file").set_input_files(
        {"name": "f.txt", "mimeType": "text/plain", "buffer": filing()}
    )
    expect(card(page, "business", "key_products")).to_have_attribute("data-status", "ok")
    expect(card(page, "mda", "outlook")).to_have_attribute("data-status", "running")
    page.reload()
    expect(card(page, "business", "key_products")).to_have_attribute("data-status", "ok")
    expect(card(page, "mda", "outlook").locator(".clock")).to_contain_text("s")
    gate.open("metrics")
    expect(card(page, "mda", "metrics")).to_have_attribute("data-status", "ok")
    expect(card(page, "mda", "outlook")).to_have_attribute("data-status", "running")
    gate.open()
    ends(page)


def test_a_page_that_nobody_sees_holds_no_connection_and_catches_up(opened, serving):
    gate = Gate(shut=["outlook"])
    service = serving({"gate": gate})
    page = opened(service)
    page.get_by_role("button", name="Quellmark").click()
    expect(card(page, "mda", "outlook")).to_have_attribute("data-status", "running")
    hide = "hidden => { Object.defineProperty(document, 'hidden', { get: () => hidden, configurable: true });"
    hide += " document.dispatchEvent(new Event('visibilitychange')); }"
    page.evaluate(hide, True)
    gate.open()
    service.ended(page.url.rpartition("/")[2])
    expect(card(page, "mda", "outlook")).to_have_attribute("data-status", "running")
    page.evaluate(hide, False)
    ends(page)


def test_the_page_goes_on_when_the_service_was_started_again(opened, serving):
    gate = Gate(shut=["outlook"])
    service = serving({"gate": gate})
    page = opened(service)
    page.get_by_role("button", name="Quellmark").click()
    expect(card(page, "mda", "outlook")).to_have_attribute("data-status", "running")
    service.stop()
    expect(page.locator(".note")).to_contain_text("Reconnecting")
    serving({"gate": Gate()}, port=service.settings.port)
    ends(page)
    expect(page.locator(".note")).to_be_hidden()


def test_cancelling_keeps_what_is_there_and_one_card_can_be_tried_again(opened, serving):
    gate = Gate(shut=["outlook", "metrics"])
    page = opened(serving({"gate": gate}))
    page.get_by_role("button", name="Quellmark").click()
    expect(card(page, "business", "key_products")).to_have_attribute("data-status", "ok")
    expect(card(page, "financials", "ratios")).to_have_attribute("data-status", "ok")
    expect(page.locator(".card[data-status=running]")).to_have_count(2)
    page.get_by_role("button", name="Cancel").click()
    expect(card(page, "mda", "outlook")).to_have_attribute("data-status", "cancelled")
    expect(card(page, "business", "key_products")).to_have_attribute("data-status", "ok")
    assert gate.in_flight == 0
    gate.open()
    card(page, "mda", "outlook").get_by_role("button", name="Try again").click()
    expect(card(page, "mda", "outlook")).to_have_attribute("data-status", "ok")
    expect(card(page, "mda", "metrics")).to_have_attribute("data-status", "cancelled")
    page.get_by_role("button", name="Try again").first.click()
    ends(page)


def test_a_failed_card_says_why_and_fills_when_tried_again(opened, serving):
    gate = Gate(fails={"outlook": BadRequest("the model is on holiday", status=400)})
    page = opened(serving({"gate": gate}))
    page.get_by_role("button", name="Quellmark").click()
    failed = card(page, "mda", "outlook")
    expect(failed).to_have_attribute("data-status", "failed")
    expect(failed).to_contain_text("the model is on holiday")
    gate.fails.clear()
    failed.get_by_role("button", name="Try again").click()
    expect(failed).to_have_attribute("data-status", "ok")
    ends(page)


def test_a_quote_that_the_filing_has_not_looks_different_and_leads_nowhere(opened, serving):
    claim = {
        "statement": "All will be well.",
        "topic": "luck",
        "horizon": None,
        "certainty": "guidance",
    }
    quote = {"quote": "We guarantee that revenue will triple in the coming year."}
    liar = Gate(says={"outlook": {"items": [{**claim, "evidence": quote}]}})
    page = opened(serving({"liar": liar}))
    page.get_by_role("button", name="Quellmark").click()
    ends(page)
    outlook = card(page, "mda", "outlook")
    expect(outlook.locator(".unproven")).to_contain_text("not found in the filing")
    expect(outlook.locator("button.quote")).to_have_count(0)
    expect(outlook.locator(".proof")).to_contain_text("0 of 1 proven")


EVIL = """<script>document.title="owned"</script> <img src=x onerror="alert(1)"> <svg onload=alert(2)> {{7*7}}
javascript:alert(3) <iframe src="http://evil.example/"></iframe> <style>*{display:none}</style> &lt;b&gt;"""


def test_nothing_in_a_filing_or_an_answer_runs_or_loads(opened, serving):
    named = {
        "items": [{"name": EVIL[:100], "where": EVIL[100:200], "evidence": {"quote": EVIL[:200]}}]
    }
    basis = {"items": [EVIL, "javascript:alert(4)"]}
    evil = Gate(
        says={
            "competition": {"landscape": EVIL, "competitors": named, "basis_of_competition": basis}
        }
    )
    page = opened(serving({"evil": evil}))
    body = filing(business=f"We sell boats to sailors. Our main product is {EVIL} a boat. " * 12)
    page.locator("#file").set_input_files(
        {"name": '"><img src=x onerror=alert(5)>.txt', "mimeType": "text/plain", "buffer": body}
    )
    ends(page)
    expect(card(page, "business", "competition")).to_contain_text('<img src=x onerror="alert(1)">')
    page.get_by_role("button", name="The filing", exact=False).first.click()
    expect(page.locator(".filing")).to_contain_text("onerror")
    assert page.title().startswith("filing") or "tenk" in page.title()
    assert (
        page.locator(
            "main img, main iframe, main script, main svg, #source img, #source script"
        ).count()
        == 0
    )


def test_a_file_that_is_no_filing_says_so(opened, service):
    page = opened(service)
    page.locator("#file").set_input_files(
        {"name": "x.png", "mimeType": "image/png", "buffer": b"\x89PNG" + bytes(99)}
    )
    expect(page.locator(".status")).to_contain_text("a PNG picture")


def test_a_ticker_that_cannot_be_fetched_says_why_before_one_types(opened, service):
    page = opened(service)
    expect(page.locator("#ticker")).to_be_disabled()
    expect(page.locator("#ticker-why")).to_contain_text("edgar")


def test_all_of_it_by_the_keyboard_alone(opened, service):
    page = opened(service)
    page.locator(".choice").wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(20):
        page.keyboard.press("Tab")
        if "choice" in page.evaluate("document.activeElement.className"):
            break
    page.keyboard.press("Enter")
    ends(page)
    for _ in range(60):
        page.keyboard.press("Tab")
        if "quote" in page.evaluate("document.activeElement.className").split():
            break
    label = page.evaluate("document.activeElement.getAttribute('aria-label')")
    page.keyboard.press("Enter")
    expect(page.locator("mark").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#source")).to_be_hidden()
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == label


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 375])
def test_axe_finds_nothing_serious_in_any_view(opened, serving, scheme, width):
    gate = Gate(shut=["outlook"], fails={"metrics": BadRequest("no", status=400)})
    page = opened(
        serving({"gate": gate}),
        color_scheme=scheme,
        viewport={"width": width, "height": 900},
        reduced_motion="reduce",
    )
    page.locator(".drop").wait_for()
    assert serious(page) == []
    page.get_by_role("button", name="Quellmark").click()
    expect(card(page, "business", "key_products")).to_have_attribute("data-status", "ok")
    expect(card(page, "mda", "outlook")).to_have_attribute("data-status", "running")
    assert serious(page) == []
    gate.open()
    expect(page.locator(".status .chip")).to_have_text(["◑Partly done"])
    card(page, "business", "key_products").locator("button.quote").first.click()
    expect(page.locator("mark").first).to_be_visible()
    assert serious(page) == []
    page.goto(page.url.partition("#")[0])
    page.locator(".row").first.wait_for()
    assert serious(page) == []


def serious(page):
    found = Axe().run(page).response["violations"]
    return [
        (each["id"], [node["html"][:150] for node in each["nodes"]][:3])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


def test_a_phone_shows_all_of_it_within_its_width(opened, service, done):
    page = opened(service, viewport={"width": 375, "height": 700}, has_touch=True)
    for address in ("#/", f"#/a/{done['id']}"):
        page.goto(f"{service.url}/{address}")
        page.locator("h1").wait_for()
        page.locator(".row, .card[data-status=ok]").first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 375
    quote = card(page, "business", "key_products").locator("button.quote").first
    quote.tap()
    expect(page.locator("mark").first).to_be_in_viewport()
    assert page.locator("#source").bounding_box()["width"] >= 374
    page.get_by_role("button", name="Close the filing").tap()
    expect(quote).to_be_in_viewport()


def test_on_paper_there_is_every_claim_and_no_control(opened, service, done):
    page = opened(service)
    page.goto(f"{service.url}/#/a/{done['id']}")
    ends(page)
    page.emulate_media(media="print")
    expect(page.locator(".actions")).to_be_hidden()
    claims = page.locator(".claims > .claim")
    assert [each for each in claims.all() if not each.is_visible()] == []
    assert claims.count() > 30


def test_the_list_shows_what_runs_and_forgets_what_it_is_told_to(opened, serving):
    gate = Gate(shut=["outlook"])
    service = serving({"gate": gate})
    page = opened(service)
    page.get_by_role("button", name="Quellmark").click()
    expect(card(page, "mda", "outlook")).to_have_attribute("data-status", "running")
    page.get_by_role("link", name="tenk").click()
    expect(page.locator(".row .chip")).to_contain_text("running")
    gate.open()
    expect(page.locator(".row .chip")).to_contain_text("done")
    page.locator(".row button").click()
    expect(page.locator(".row")).to_have_count(0)
    assert service.http.get("/api/analyses").json() == []


def test_without_the_token_there_is_a_page_that_says_what_to_do(browser, service):
    page = browser.new_page()
    assert page.goto(service.url).status == 401
    expect(page.locator("h1")).to_contain_text("missing its token")
    page.close()


def test_what_it_looks_like(opened, service, done):
    """Screenshots for eyes, where one asks for them: TENK_SCREENSHOTS names a folder."""
    folder = os.environ.get("TENK_SCREENSHOTS")
    if folder is None:
        pytest.skip("TENK_SCREENSHOTS names no folder")
    for scheme in ("light", "dark"):
        page = opened(service, color_scheme=scheme)
        page.goto(f"{service.url}/#/a/{done['id']}")
        ends(page)
        page.screenshot(path=Path(folder) / f"analysis-{scheme}.png")
        page.locator("button.quote").first.click()
        page.screenshot(path=Path(folder) / f"quote-{scheme}.png")
    assert cards(done)

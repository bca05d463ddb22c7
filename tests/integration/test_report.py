"""The report in a real browser: what it shows, what it never does, how fast it is, and for whom it works."""

from __future__ import annotations

import statistics
import typing as t
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core import _permissions
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import Failure
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import DAY, ListedOwner, Owner, Token
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit import _registry
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._model import Audit, ObservedOwner
from tests.report import sample
from tests.report.browser import lack, running

if t.TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.skipif(lack() is not None, reason=str(lack()))
HOSTILE = [
    "</script><img src=x onerror=\"document.title='pwned'\">",
    "<script>document.title='pwned'</script>",
    "\"><svg onload=document.title='pwned'>",
    "\u202egnp.exe",
    "two\nlines",
    "{{constructor.constructor('document.title=1')()}}",
]
#: Whatever one does in the page takes less, from the event to the painted rows.
MILLISECONDS = 200


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running() as found:
        yield found


class Report:
    """An open report, and everything that went on in the browser meanwhile."""

    def __init__(self, browser: Browser, file: Path, **options: t.Any) -> None:
        self.page: Page = browser.new_page(**options)
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.errors.append(message.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(file.as_uri())

    def texts(self, selector: str) -> list[str]:
        return [text.strip() for text in self.page.locator(selector).all_inner_texts()]

    @property
    def count(self) -> str:
        return self.page.locator("#count").inner_text()

    @property
    def names(self) -> list[str]:
        return self.texts("#table tbody th bdi")

    def search(self, text: str) -> None:
        self.page.locator("#search").fill(text)

    def wait_for_rows(self, count: int) -> None:
        self.page.wait_for_function("count => document.querySelectorAll('#table tbody tr').length === count", arg=count)


@pytest.fixture
def report(browser: Browser, tmp_path: Path) -> Iterator[t.Callable[..., Report]]:
    opened: list[Report] = []

    def make(audit: Audit | None = None, **options: t.Any) -> Report:
        found, policy = sample.company()
        file = tmp_path / "audit.html"
        file.write_text(sample.page(audit or found, policy), encoding="utf-8")
        opened.append(Report(browser, file, **options))
        return opened[-1]

    yield make
    for item in opened:
        item.page.close()


def of(*tokens: Token, listed: ListedOwner | None = None, unread: tuple[Failure, ...] = ()) -> Audit:
    where = listed or ListedOwner(Owner(project="PAY"), "Payments", f"{sample.URL}/projects/PAY")
    return sample.audited((ObservedOwner(where, tokens, sample.NOW),), unread)[0]


def token(name: str, number: int = 1, **more: t.Any) -> Token:
    times = {"created": sample.NOW - DAY, "expires": sample.NOW + 200 * DAY, "last_used": sample.NOW, **more}
    return Token(f"{number:012d}", name, _permissions.listed(["REPO_READ"]), **times)


def test_the_figures_are_those_of_the_audit(report):
    audit, _policy = sample.company()
    seen = report()
    tiles = seen.texts("#tiles dd.figure")
    assert tiles[0] == str(len(audit.tokens))
    assert tiles[-1] == "2"
    shown = {chip.rsplit(" ", 1)[0]: int(chip.rsplit(" ", 1)[1]) for chip in seen.texts("#codes button")}
    assert len(shown) == len(_registry.REGISTRY), "the sample has every finding"
    assert shown["Administrator"] == sum("administrator" in [f.code for f in item.counted] for item in audit.tokens)
    assert seen.count == f"{len(audit.tokens)} tokens"
    assert seen.errors == []


def test_nothing_is_fetched_and_nothing_could_be(report):
    seen = report()
    assert len(seen.requests) == 1, "the file itself"
    assert seen.page.evaluate("() => fetch('https://example.com/').then(() => 'done', () => 'refused')") == "refused"
    load = """([tag, source]) => new Promise((settle) => {
        const element = document.createElement(tag);
        element.onload = () => settle("done");
        element.onerror = () => settle("refused");
        element.src = source;
        document.body.append(element);
    })"""
    assert seen.page.evaluate(load, ["img", "https://example.com/x.png"]) == "refused"
    assert seen.page.evaluate(load, ["script", "data:text/javascript,document.title='pwned'"]) == "refused"
    assert seen.page.title() == "Access token audit"
    assert any("Content Security Policy" in text for text in seen.errors)


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_no_name_gets_out_of_its_place(report, name):
    listed = ListedOwner(Owner(project="PAY", repository="r"), name, "javascript:document.title='pwned'")
    seen = report(of(token(name), listed=listed, unread=(Failure(name, "forbidden", name),)))
    assert seen.page.title() == "Access token audit"
    assert seen.page.locator("img, iframe, svg[onload]").count() == 0
    shown = name.replace("\u202e", "\u27e8U+202E\u27e9").replace("\n", "\u27e8U+000A\u27e9")
    assert seen.names == [shown]
    assert seen.page.locator("#table a").count() == 0
    assert seen.errors == []
    seen.search(name.split()[0])
    assert seen.names == [shown]


@pytest.mark.long
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("alpha", ["alpha"]),
        ("ALPHA", ["alpha"]),
        ("000000000002", ["beta"]),
        ("pay b", ["beta"]),
        ("repo_read", ["alpha", "beta"]),
        ("never_expires", ["beta"]),
        ("Payments", ["alpha", "beta"]),
        ("gamma", []),
    ],
)
def test_search_finds_every_word_in_names_ids_owners_permissions_and_findings(report, text, expected):
    seen = report(of(token("alpha"), token("beta", 2, expires=None)))
    seen.search(text)
    assert sorted(seen.names) == expected
    assert seen.count == ("2 tokens" if len(expected) == 2 else f"{len(expected)} of 2 tokens")


def test_there_may_be_more_kinds_of_findings_than_bits(report, monkeypatch):
    def kind(number: int) -> _registry.FindingKind:
        name = f"k{number}"
        return _registry.FindingKind(
            name, "low", f"Kind {number}", name, f"Do {number}.", lambda case: name if case.token.name == name else None
        )

    monkeypatch.setattr(_registry, "REGISTRY", (*_registry.REGISTRY, *map(kind, range(40))))
    seen = report(of(*(token(f"k{number}", number) for number in range(40))))
    for number in (1, 17, 33):
        seen.page.locator(f"#codes [data-code=k{number}]").click()
    assert sorted(seen.names) == ["k1", "k17", "k33"]
    seen.page.locator("#codes [data-code=k17]").click()
    assert sorted(seen.names) == ["k1", "k33"]
    assert seen.page.locator("#codes [data-code=k33]").get_attribute("title") == "Do 33."
    assert "Kind 1 k1" in seen.texts("#table td ul li")


@pytest.mark.long
def test_filters_go_together_and_can_be_cleared(report):
    audit, _policy = sample.company()
    seen = report()
    seen.page.locator("#codes [data-code=never_expires]").click()
    never = sum("never_expires" in [f.code for f in item.counted] for item in audit.tokens)
    assert seen.count == f"{never} of {len(audit.tokens)} tokens"
    seen.page.locator("#codes [data-code=administrator]").click()
    both = sum(bool({"never_expires", "administrator"} & {f.code for f in item.counted}) for item in audit.tokens)
    assert seen.count == f"{both} of {len(audit.tokens)} tokens"
    seen.page.locator("#severity").select_option(label="High or worse")
    seen.page.locator("#kind").select_option(label="Repository tokens")
    assert set(seen.texts("#table tbody td:nth-child(3) .stack-text")) == {"Repository"}
    assert set(seen.texts("#table tbody td:nth-child(1)")) <= {"High", "Critical"}
    seen.page.locator("#reset").click()
    assert seen.count == f"{len(audit.tokens)} tokens"
    assert seen.page.locator("[aria-pressed=true]").count() == 0


@pytest.mark.long
def test_columns_sort_by_click_and_say_so(report):
    tokens = [token(name, number, last_used=sample.NOW - number * DAY) for number, name in enumerate("cab", 1)]
    seen = report(of(*tokens))
    heading = seen.page.locator("#table th", has_text="Token")
    heading.get_by_role("button").click()
    assert (seen.names, heading.get_attribute("aria-sort")) == (["a", "b", "c"], "ascending")
    heading.get_by_role("button").click()
    assert (seen.names, heading.get_attribute("aria-sort")) == (["c", "b", "a"], "descending")
    seen.page.locator("#sort").select_option(label="Last use")
    assert seen.names == ["b", "a", "c"]
    assert heading.get_attribute("aria-sort") == "none"


@pytest.mark.long
def test_each_token_links_to_its_owner_in_bitbucket(report):
    seen = report(of(token("ci")))
    link = seen.page.locator("#table tbody a")
    assert link.get_attribute("href") == f"{sample.URL}/projects/PAY"
    assert "noopener" in (link.get_attribute("rel") or "")


def test_the_keyboard_reaches_everything(report):
    seen = report()
    seen.page.keyboard.press("Tab")
    assert seen.page.evaluate("document.activeElement.textContent") == "Skip to the tokens"
    seen.page.keyboard.press("Enter")
    seen.page.keyboard.press("Tab")
    assert seen.page.evaluate("document.activeElement.id") == "search"
    seen.page.keyboard.type("jenkins")
    assert set(seen.names) == {"jenkins"}
    for _step in range(4):
        seen.page.keyboard.press("Tab")
    seen.page.keyboard.press("Space")
    assert seen.page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_serious(report, colours, width):
    from axe_playwright_python.sync_playwright import Axe

    seen = report(viewport={"width": width, "height": 900}, color_scheme=colours, bypass_csp=True)
    seen.page.locator("#codes button").first.click()
    seen.page.locator("details").first.evaluate("element => { element.open = true }")
    found = Axe().run(seen.page).response["violations"]
    serious = [f"{item['id']}: {item['nodes'][0]['html']}" for item in found]
    assert not serious, serious


@pytest.mark.long
@pytest.mark.parametrize("width", [320, 360, 800])
def test_no_width_makes_the_page_scroll_sideways(report, width):
    long = token("x" * 255, expires=None)
    listed = ListedOwner(Owner(project="PAY", repository="y" * 128), "z" * 255, sample.URL)
    unread = (Failure(f"users/{'u' * 200}", "forbidden", "m" * 300),)
    seen = report(of(long, listed=listed, unread=unread), viewport={"width": width, "height": 800})
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.long
@pytest.mark.parametrize("preferred", ["light", "dark"])
def test_colours_follow_the_system_until_somebody_chooses(report, preferred):
    seen = report(color_scheme=preferred)
    ground = "getComputedStyle(document.body).backgroundColor"
    first = seen.page.evaluate(ground)
    seen.page.locator("#theme").click()
    other = seen.page.evaluate(ground)
    assert first != other
    seen.page.emulate_media(color_scheme="dark" if preferred == "light" else "light")
    assert seen.page.evaluate(ground) == other
    light, dark = (first, other) if preferred == "light" else (other, first)
    assert sum(map(int, light[4:-1].split(","))) > sum(map(int, dark[4:-1].split(",")))


@pytest.mark.long
def test_paper_gets_every_row_and_no_buttons(report):
    audit, _policy = sample.company()
    seen = report()
    assert len(seen.names) == 50
    seen.page.emulate_media(media="print")
    seen.wait_for_rows(len(audit.tokens))
    assert not seen.page.locator("#search").is_visible()
    assert not seen.page.locator("#pager").is_visible()
    assert len(seen.page.pdf()) > 10_000
    seen.page.emulate_media(media="screen")
    seen.wait_for_rows(50)


@pytest.mark.long
@pytest.mark.parametrize("width", [640, 1000], ids=["upright", "crosswise"])
def test_paper_gets_a_table_that_fits(report, width):
    """As wide as what Chromium leaves of a sheet of A4 between its margins, and narrower."""
    seen = report(viewport={"width": width, "height": 1000}, color_scheme="dark")
    seen.page.emulate_media(media="print", color_scheme="dark")
    shape = "selector => getComputedStyle(document.querySelector(selector)).display"
    assert seen.page.evaluate(shape, "#table thead") == "table-header-group"
    assert seen.page.evaluate(shape, "#table tbody tr") == "table-row"
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
    # A wider line would lie over its neighbour.
    wide = (
        "[...document.querySelectorAll('#table .when')].filter((one) => one.offsetWidth > one.parentNode.offsetWidth)"
    )
    assert seen.page.evaluate(f"{wide}.length") == 0
    assert seen.page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"


@pytest.mark.long
def test_paper_says_of_how_many_projects_it_shows_the_first(report):
    seen = report(sample.many(400)[0])
    note = seen.page.locator("#heat .paper")
    assert not note.is_visible()
    seen.page.emulate_media(media="print")
    assert note.inner_text() == "The first 15 of 20 rows."
    seen.page.emulate_media(media="screen")
    seen.page.locator("#heat .more").click()
    seen.page.emulate_media(media="print")
    assert (note.count(), seen.page.locator("#heat tbody tr").count()) == (0, 20)


@pytest.mark.long
def test_paper_gets_the_first_two_thousand_rows_of_more_and_says_so(report):
    seen = report(sample.many(2_005)[0])
    note = seen.page.locator("#printed")
    seen.page.emulate_media(media="print")
    seen.wait_for_rows(2_000)
    assert note.inner_text().startswith("The first 2,000 of 2,005 are printed, in the order of the screen.")
    seen.page.emulate_media(media="screen")
    seen.wait_for_rows(50)
    assert not note.is_visible()
    seen.page.locator("#kind").select_option(label="Repository tokens")
    seen.search("service-00000")
    seen.page.emulate_media(media="print")
    seen.wait_for_rows(5)
    assert not note.is_visible()


@pytest.mark.long
def test_pages_turn(report):
    seen = report()
    first = seen.names
    seen.page.locator("#next").click()
    assert seen.page.locator("#page").inner_text().startswith("Page 2 of ")
    assert seen.names != first
    seen.page.locator("#previous").click()
    assert seen.names == first
    assert seen.page.locator("#previous").is_disabled()


@pytest.mark.long
def test_without_javascript_the_summary_is_there(report):
    seen = report(java_script_enabled=False)
    assert "administrator: " in seen.page.locator("noscript").inner_text()
    assert not seen.page.locator("#tokens").is_visible()


@pytest.mark.long
def test_without_any_token_or_clock_it_says_so(report):
    seen = report(of())
    assert seen.texts("#table tbody td") == ["No token matches."]
    blind, policy = sample.audited((ObservedOwner(ListedOwner(Owner(project="PAY")), (token("ci"),), None),), ())
    assert policy
    seen = report(blind)
    assert "no_clock" in seen.page.locator("#notices").inner_text()
    assert "is not drawn" in seen.page.locator("#expiry").inner_text()
    assert seen.errors == []


@pytest.mark.long
def test_charts_say_in_words_what_they_draw(report):
    tokens = [token("a", 1), token("b", 2, expires=None), token("c", 3, expires=sample.NOW - 1, last_used=None)]
    seen = report(of(*tokens))
    label = seen.page.locator("#expiry svg").get_attribute("aria-label") or ""
    assert label.startswith("1 token expires in the next 12 months")
    assert "1 expired already" in label
    assert "1 never" in label
    rows = seen.page.locator("#used tbody tr").all_text_contents()
    assert "within 7 days2" in rows
    assert "no use recorded1" in rows


# The edge of twelve months from a day, and what is drawn as the last month up to there.
YEARS = {
    "in a month": (datetime(2026, 11, 24, 9), datetime(2027, 11, 24, 23, 59, 59), "November 2027 to 2027-11-24"),
    "on the first of one": (datetime(2026, 1, 1), datetime(2027, 1, 1, 23, 59, 59), "January 2027 to 2027-01-01"),
    "on the last of one": (
        datetime(2026, 12, 31, 23),
        datetime(2027, 12, 31, 23, 59, 59),
        "December 2027 to 2027-12-31",
    ),
    "on 29 February": (datetime(2028, 2, 29, 12), datetime(2029, 2, 28, 23, 59, 59), "February 2029 to 2029-02-28"),
}


@pytest.mark.long
@pytest.mark.parametrize(("today", "edge", "last"), YEARS.values(), ids=list(YEARS))
def test_the_expiry_of_the_next_12_months_ends_on_this_day_a_year_on(report, today, edge, last):
    now, end = (int(moment.replace(tzinfo=UTC).timestamp() * 1000) for moment in (today, edge))
    moments = [now, now + 1000, end, end + 1000]
    tokens = tuple(token(f"t{number}", number, expires=moment) for number, moment in enumerate(moments))
    seen = report(sample.audited((ObservedOwner(ListedOwner(Owner(project="PAY")), tokens, now),), ())[0])
    label = seen.page.locator("#expiry svg").get_attribute("aria-label") or ""
    assert label.startswith("2 tokens expire in the next 12 months, by month; 1 expired already \u00b7 1 later")
    months = seen.page.locator("#expiry tbody tr").all_text_contents()
    assert len(months) == 13
    assert months[0] == f"{today:%B %Y} from {today:%Y-%m-%d}1"
    assert months[-1] == f"{last}1"
    assert seen.errors == []


# Selector, event, and what is entered. In this order, each once in a page that has just loaded.
ACTIONS = {
    "first search": ("#search", "input", "renovate"),
    "one letter": ("#search", "input", "a"),
    "two words": ("#search", "input", "team0 deploy"),
    "no such token": ("#search", "input", "no such token"),
    "empty search": ("#search", "input", ""),
    "finding": ("#codes [data-code=never_used]", "click", None),
    "severity": ("#severity", "change", "4"),
    "clear filters": ("#reset", "click", None),
    "owner": ("#kind", "change", "1"),
    "next page": ("#next", "click", None),
    **{f"sort by column {at}": (f"#table th:nth-child({at}) button", "click", None) for at in range(1, 8)},
}
# From the event until the browser has painted what it led to.
FELT = """([selector, event, value]) => new Promise((settle) => {
    const element = document.querySelector(selector);
    if (value !== null) element.value = value;
    const start = performance.now();
    if (event === "click") element.click();
    else element.dispatchEvent(new Event(event, { bubbles: true }));
    requestAnimationFrame(() => setTimeout(() => settle(performance.now() - start)));
})"""


def felt(seen: Report) -> dict[str, float]:
    """How many milliseconds each action takes, done once."""
    return {name: float(seen.page.evaluate(FELT, list(action))) for name, action in ACTIONS.items()}


@pytest.mark.long
def test_twenty_thousand_tokens_stay_fluid(report):
    audit, _policy = sample.many(20_000)
    # Other tests may take both cores just then. So a page that was slow is measured anew, all of it: no action is
    # judged by the best of several.
    tries: list[dict[str, float]] = []
    while len(tries) < 6 and not (tries and max(tries[-1].values()) < MILLISECONDS):
        seen = report(audit)
        assert seen.count == "20,000 tokens"
        tries.append(felt(seen))
        assert seen.errors == []
        figures = ", ".join(f"{name} {taken:.0f}" for name, taken in tries[-1].items())
        print(f"try {len(tries)}: median {statistics.median(tries[-1].values()):.0f} ms; {figures}")
    assert max(tries[-1].values()) < MILLISECONDS, tries

"""The pages in a real browser: read by everyone, at each width, dark and light, on paper, and without a network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser import pages

NARROW, WIDE = 380, 1400
TOO_WIDE = """() => [...document.body.querySelectorAll("*")].filter(one => !one.closest("thead, svg"))
  .filter(one => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map(one => one.outerHTML.slice(0, 120))"""
SHOWN = "() => [...document.querySelectorAll('details > ul')].filter(one => !one.checkVisibility()).length"


@contextmanager
def shown(
    browser: Browser, folder: Path, name: str, width: int, scheme: Literal["light", "dark"] = "light"
) -> Iterator[Page]:
    """The page, as somebody sees it who got it by mail; whatever it asks for is a failure."""
    file = folder / "page.html"
    file.write_text(pages.html(name), encoding="utf-8")
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: asked.append(message.text))
    page.goto(file.as_uri())
    yield page
    assert asked == [file.as_uri()]
    page.close()


@pytest.mark.parametrize(("width", "scheme"), [(NARROW, "dark"), (WIDE, "light")])
@pytest.mark.parametrize("name", pages.NAMES)
def test_everyone_can_read_it(
    browser: Browser, tmp_path: Path, name: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    with shown(browser, tmp_path, name, width, scheme) as page:
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate(TOO_WIDE) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_way_goes_across_where_there_is_room_and_down_where_there_is_none(browser: Browser, tmp_path: Path) -> None:
    for width, along, across in ((WIDE, 0, 1), (NARROW, 1, 0)):
        with shown(browser, tmp_path, "good", width) as page:
            links = page.locator("ol.way").first.locator("> li > div.link")
            boxes = [box for at in range(links.count()) if (box := links.nth(at).bounding_box())]
            middles = [(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) for box in boxes]
            assert len(middles) == 5
            assert [one[along] for one in middles] == sorted({one[along] for one in middles})
            assert len({round(one[across]) for one in middles}) == 1


def test_what_is_broken_is_red_and_stands_above_what_is_not(browser: Browser, tmp_path: Path) -> None:
    with shown(browser, tmp_path, "many", WIDE) as page:
        broken = page.locator("div.link.failed")
        assert broken.evaluate_all("all => all.map(one => one.querySelector('strong').innerText)") == [
            "Database",
            "Files",
        ]
        colours = broken.evaluate_all("all => all.map(one => getComputedStyle(one).borderTopColor)")
        assert colours == ["rgb(179, 38, 30)"] * 2
        assert page.locator("h3:visible").all_inner_texts() == ["tenant-07 broken", "tenant-31 broken"]
        page.get_by_text("38 more tenants, all up").click()
        assert page.locator("h3:visible").count() == pages.MANY


def test_on_paper_nothing_is_folded(browser: Browser, tmp_path: Path) -> None:
    with shown(browser, tmp_path, "failed", WIDE) as page:
        assert page.evaluate(SHOWN) > 0
        page.emulate_media(media="print")
        assert page.evaluate(SHOWN) == 0
        assert page.pdf(format="A4").startswith(b"%PDF")

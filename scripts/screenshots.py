"""Takes the pictures of pages that the docs show (docs/images), of the records that the tests keep."""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests import needed
from tests.browser import pages

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
SHOWN = {"good": "report-run", "failed": "report-failed", "restore": "report-restore"}
SIZE = {"width": 1200, "height": 900}


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=needed.chromium())
        for name, image in SHOWN.items():
            file = Path(folder) / f"{name}.html"
            file.write_text(pages.html(name), encoding="utf-8")
            page = browser.new_page(viewport={"width": SIZE["width"], "height": SIZE["height"]})
            page.goto(file.as_uri())
            page.screenshot(path=IMAGES / f"{image}.png")
            print(IMAGES / f"{image}.png")
        browser.close()


if __name__ == "__main__":
    main()

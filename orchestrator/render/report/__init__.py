"""A run as one page that needs nothing else: no network, no script; it can be mailed, printed and read aloud."""

from orchestrator.render.report.model import RunReport, of
from orchestrator.render.report.page import STYLE, page

__all__ = ["STYLE", "RunReport", "of", "page"]

"""The content security policy of a page of one file."""

from base64 import b64encode
from hashlib import sha256


def page_policy(page: str) -> str:
    """A content security policy that lets just this page's own script and style run.

    page: HTML with one <script> and one <style>, both without attributes.
    """
    script, style = _content_hash(page, "script"), _content_hash(page, "style")
    return (
        f"default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}'; "
        "connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def page_headers(page: str) -> dict[str, str]:
    """The headers that a page is sent with."""
    return {"content-security-policy": page_policy(page), "x-content-type-options": "nosniff"}


def _content_hash(page: str, tag: str) -> str:
    content = page.split(f"<{tag}>")[1].split(f"</{tag}>")[0]
    return b64encode(sha256(content.encode()).digest()).decode()

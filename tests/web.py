"""What a browser does with a form, for Flask's test client: read it, fill it in, send all of it.

Tests go through this instead of inventing POST bodies, so that CSRF tokens, one-time keys and versions are those that
the page really carries. Must not know any page of Caseward.
"""

import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

_UNSENT_TYPES = {"submit", "button", "image", "reset", "file"}
# The fields a page adds for the application's own safety: all that a forged request takes over from another page.
_SAFETY_FIELDS = ("csrf_token", "once")


class Form:
    """A form as it stands in a page. `values` is what a browser would send if nothing was changed: name -> list."""

    def __init__(self, attributes):
        self.id = attributes.get("id")
        self.action = attributes.get("action") or ""
        self.method = (attributes.get("method") or "get").lower()
        self.controls: list[str] = []
        self.values: dict[str, list[str]] = {}
        self.choices: dict[str, list[str]] = {}
        self.buttons: list[tuple[str | None, str | None]] = []

    def __repr__(self):
        return f"<Form {self.method} {self.action or '(same page)'} {self.controls}>"


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.forms: list[Form] = []
        self._form = self._select = self._option = self._textarea = None
        self._templates = 0

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "template":
            self._templates += 1
        elif self._templates:
            return  # what stands in a template is not part of the page
        elif tag == "form":
            self._form = Form(given)
            self.forms.append(self._form)
        elif tag in ("input", "select", "textarea", "button") and "name" in given and "disabled" not in given:
            owner = self._owner(given)
            if owner is not None:
                self._control(tag, given, owner)
        elif tag == "option" and self._select:
            self._close_option()
            self._option = (given, [])

    def _owner(self, given):
        """The form around a control, or the one it names with form="id"."""
        if "form" not in given:
            return self._form
        return next((form for form in self.forms if form.id == given["form"]), None)

    def _control(self, tag, given, form):
        name, kind = given["name"], (given.get("type") or "text").lower()
        if tag == "button" or (tag == "input" and kind in ("submit", "image", "button", "reset")):
            form.buttons.append((name, given.get("value")))
            return
        if name not in form.controls:
            form.controls.append(name)
        if tag == "select":
            self._select = (form, name, "multiple" in given)
        elif tag == "textarea":
            self._textarea = (form, name, [])
        elif kind in ("checkbox", "radio"):
            value = given.get("value", "on") or ""
            form.choices.setdefault(name, []).append(value)
            if "checked" in given:
                form.values.setdefault(name, []).append(value)
        elif kind not in _UNSENT_TYPES:
            form.values.setdefault(name, []).append(given.get("value") or "")

    def handle_data(self, data):
        if self._textarea:
            self._textarea[2].append(data)
        elif self._option:
            self._option[1].append(data)

    def handle_endtag(self, tag):
        if tag == "template":
            self._templates -= 1
        elif self._templates:
            return
        elif tag == "form":
            self._form = None
        elif tag == "textarea" and self._textarea:
            form, name, parts = self._textarea
            # a browser drops the one line break that follows <textarea>, and sends CR LF
            text = "".join(parts).replace("\r\n", "\n").removeprefix("\n").replace("\n", "\r\n")
            form.values.setdefault(name, []).append(text)
            self._textarea = None
        elif tag == "option":
            self._close_option()
        elif tag == "select" and self._select:
            self._close_option()
            form, name, multiple = self._select
            if name not in form.values and not multiple and form.choices.get(name):
                form.values[name] = [form.choices[name][0]]  # a drop-down always has a selected option
            self._select = None

    def _close_option(self):
        if not self._option:
            return
        given, words = self._option
        self._option = None
        form, name, _ = self._select
        value = given.get("value", "".join(words).strip()) or ""
        if "disabled" in given:
            return
        form.choices.setdefault(name, []).append(value)
        if "selected" in given:
            form.values.setdefault(name, []).append(value)


def forms(html) -> list[Form]:
    """All forms of a page (a response, bytes or text), in order."""
    reader = _Reader()
    reader.feed(_html(html))
    return reader.forms


class _Text(HTMLParser):
    def __init__(self):
        super().__init__()
        self.words, self._hidden = [], 0

    def handle_starttag(self, tag, attributes):
        self._hidden += tag in ("script", "style", "template")

    def handle_endtag(self, tag):
        self._hidden -= tag in ("script", "style", "template")

    def handle_data(self, data):
        if not self._hidden:
            self.words.extend(data.split())


_ON_PAPER = re.compile(r'<p class="print-only">.*?</p>', re.DOTALL)


def text_of(html) -> str:
    """The words of a page (a response, bytes or text), without tags and with single spaces. As on a screen: paper says in
    its first line when it was printed, and two pages would differ by the minute."""
    reader = _Text()
    reader.feed(_ON_PAPER.sub("", _html(html)))
    return " ".join(reader.words)


def post(client, url, data=None, form_url=None, form=None, follow=False, **request):
    """GETs `form_url or url`, fills in its form for `url` with `data` and sends it. See filled_in()."""
    page_url = form_url or url
    page = client.get(page_url, follow_redirects=True)
    assert page.status_code == 200, f"GET {page_url} to find a form answered {page.status_code}"
    body = filled_in(page, url, data or {}, form, borrow=form_url is not None)
    return client.post(url, data=body, content_type="multipart/form-data", follow_redirects=follow, **request)


def filled_in(page, url, data, form=None, borrow=False) -> dict:
    """What a browser would send to `url` from this page after `data` was typed into it: name -> list of values.

    `data`: a list sends the field several times, None leaves it out, a (file, name) tuple is an upload; names the form
    doesn't have are sent too. With `borrow` a page without such a form lends only its CSRF token and one-time key.
    """
    found = forms(page)
    chosen = _choose(found, url, data, form, page)
    if chosen is None and not borrow:
        raise AssertionError(f"no form on that page posts to {url}; it has {found}")
    if chosen is None:
        lenders = [each for each in found if each.method == "post" and "csrf_token" in each.values]
        assert lenders, "no form on that page has a CSRF token to lend"
        body = {name: values for each in lenders for name, values in each.values.items() if name in _SAFETY_FIELDS}
    else:
        body = {name: list(values) for name, values in chosen.values.items()}
    for name, value in data.items():
        body[name] = value if isinstance(value, list) else [value]
        if value is None:
            del body[name]
    return body


def _choose(found, url, data, form, page):
    posting = [each for each in found if each.method == "post"]
    if form is not None:
        named = [each for each in posting if each.id == form]
        assert named, f"no form with id {form!r} on that page; it has {found}"
        return named[0]
    here = getattr(getattr(page, "request", None), "path", urlsplit(url).path)
    path = urlsplit(url).path
    aimed = [each for each in posting if (urlsplit(each.action).path or here) == path]
    return max(aimed, key=lambda each: len(set(data) & set(each.controls)), default=None)


def _html(page) -> str:
    if hasattr(page, "get_data"):
        return page.get_data(as_text=True)
    return page.decode() if isinstance(page, bytes) else page

"""The rules of the house, read off the code itself. Each failure is one sentence that says what to do."""

import ast
import inspect
import re
from pathlib import Path

import pytest
from playhouse.schema_diff import diff_models

import events
import models
import tasks
from app import _check_policies, create_app
from extensions import db

HOUSE = Path(__file__).resolve().parent.parent
# docs/architecture.md: a part may call queries and actions of the parts to its left, never to its right.
PARTS = (
    "account", "students", "incidents", "cases", "plans", "forms", "cohorts", "timeline", "reports", "admin", "imports", "home",
)  # fmt: skip
RANKS = {"config": 0, "extensions": 1, "models": 2, "permissions": 3, "events": 3, "tasks": 7, "app": 9}
KIT, QUERIES, ACTIONS, VIEWS = 4, 5, 6, 8

# Public functions of actions that nobody's permission stands behind, each with the reason.
NO_ACTOR = {
    "account.checked": "shape only; the action that saves asks",
    "account.sign_in": "nobody is signed in yet",
    "account.second_step": "nobody is signed in yet",
    "account.start_session": "nobody is signed in yet",
    "account.set_up_school": "there is no account yet; the set-up code stands for it",
    "account.ask_password_link": "nobody is signed in yet",
    "account.use_password_link": "the link stands for the person",
    "account.tidy_up": "the nightly job",
    "cohorts.forget_results": "the nightly job",
    "account.invite_student": "a part of the minutely job",
    "cohorts.invite_students": "the minutely job",
    "cohorts.queue_due": "the minutely job",
    "cohorts.copied": "bytes only; the action that names them asks",
    "incidents.taken": "bytes only; the action that names them asks",
    "incidents.queue_due_actions": "the minutely job",
    "cases.queue_overdue_tasks": "the minutely job",
    "home.queue_digests": "the minutely job",
    "plans.queue_due_reviews": "the minutely job",
}


def code(*patterns):
    for pattern in patterns or ("*.py", "blueprints/**/*.py"):
        for path in sorted(HOUSE.glob(pattern)):
            yield path, ast.parse(path.read_text(), str(path))


def templates():
    return sorted(path for path in (HOUSE / "templates").rglob("*") if path.is_file())


def module_of(path):
    return ".".join(path.relative_to(HOUSE).with_suffix("").parts).removesuffix(".__init__")


def part_of(module):
    words = module.split(".")
    return words[1] if words[0] == "blueprints" and len(words) > 1 and words[1] in PARTS else None


def rank(module):
    words = module.split(".")
    if words[0] != "blueprints":
        return RANKS.get(words[0])
    if len(words) < 3:
        return KIT
    if words[1] == "kit":
        return KIT
    return {"queries": QUERIES, "forms": QUERIES, "views": VIEWS, "commands": VIEWS}.get(words[2], ACTIONS)


def is_own_piece(module):
    """A part's own module beside queries, forms, actions and views: its queries may use it, other parts may not."""
    words = module.split(".")
    return part_of(module) is not None and words[2] not in ("queries", "forms", "actions", "views", "commands")


def imports(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield node, name.name
        elif isinstance(node, ast.ImportFrom) and node.module:
            for name in node.names:
                yield node, f"{node.module}.{name.name}"


def test_imports_run_downward_and_parts_in_one_order():
    wrong = []
    for path, tree in code():
        here = module_of(path)
        mine = rank(here)
        if mine is None:
            continue
        for node, target in imports(tree):
            theirs = rank(target)
            if theirs is None:
                continue
            where = f"{path.relative_to(HOUSE)}:{node.lineno}"
            if theirs > mine and not (is_own_piece(target) and part_of(target) == part_of(here)):
                wrong.append(f"{where} imports {target}, which lies above it: move the call up or the code down.")
            a, b = part_of(here), part_of(target)
            if a and b and a != b:
                if PARTS.index(b) > PARTS.index(a):
                    wrong.append(f"{where}: {a} may not use {b}; the order is {' < '.join(PARTS)}.")
                if target.split(".")[2] not in ("queries", "actions"):
                    wrong.append(f"{where}: of another part only queries and actions may be used, not {target}.")
    assert not wrong, "\n".join(wrong)


def test_views_ask_queries_and_never_the_tables():
    wrong = []
    reading = {"select", "get", "get_or_none", "get_by_id", "create", "update", "delete", "insert", "insert_many", "save"}
    tables = {model.__name__ for model in models.tables()}
    for path, tree in code("blueprints/*/views.py", "blueprints/*/views/*.py"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in reading:
                owner = node.value.id if isinstance(node.value, ast.Name) else ""
                if owner in tables or node.attr in ("select", "get_by_id", "get_or_none", "save"):
                    wrong.append(
                        f"{path.relative_to(HOUSE)}:{node.lineno} calls {owner}.{node.attr}: ask the part's queries for it."
                    )
    assert not wrong, "\n".join(wrong)


def test_every_page_declares_a_policy(app):
    for rule in app.url_map.iter_rules():
        if rule.endpoint != "static":
            assert hasattr(app.view_functions[rule.endpoint], "policy"), f"{rule.rule} declares no policy."


def test_the_start_fails_without_a_policy(settings):
    app = create_app(settings)
    app.view_functions["bare"] = lambda: "open"
    app.url_map.add(app.url_rule_class("/bare", endpoint="bare"))
    with pytest.raises(RuntimeError, match="declares no policy"):
        _check_policies(app)


def public_functions(name):
    """(path, part, node) of each function that other modules call: all of a module, the exported ones of a package."""
    for path, tree in code(f"blueprints/*/{name}.py", f"blueprints/*/{name}/*.py"):
        package = path.parent if path.parent.name == name else None
        exported = re.findall(r"\w+", (package / "__init__.py").read_text()) if package else None
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                if exported is None or node.name in exported:
                    yield path, part_of(module_of(path)), node


def test_actions_take_their_actor_by_keyword():
    wrong = []
    for path, part, node in public_functions("actions"):
        keywords = {argument.arg for argument in node.args.kwonlyargs}
        if "actor" not in keywords and f"{part}.{node.name}" not in NO_ACTOR:
            wrong.append(f"{path.relative_to(HOUSE)}:{node.lineno} {node.name}() needs a keyword `actor`: who does this?")
    assert not wrong, "\n".join(wrong)


def test_the_list_of_actions_without_actor_is_true():
    names = {f"{part}.{node.name}" for _, part, node in public_functions("actions")}
    stale = set(NO_ACTOR) - names
    assert not stale, f"NO_ACTOR names actions that are not there: {', '.join(sorted(stale))}."


def test_every_module_and_public_function_of_the_rules_says_what_it_is():
    wrong = []
    for path, tree in code():
        if not ast.get_docstring(tree):
            wrong.append(f"{path.relative_to(HOUSE)} needs a docstring that says what it is and what it must not do.")
    for kind in ("queries", "actions"):
        for path, _part, node in public_functions(kind):
            if not ast.get_docstring(node):
                wrong.append(f"{path.relative_to(HOUSE)}:{node.lineno} {node.name}() needs a docstring.")
    for name, function in inspect.getmembers(events, inspect.isfunction):
        if function.__module__ == "events" and not name.startswith("_") and not function.__doc__:
            wrong.append(f"events.{name}() needs a docstring.")
    assert not wrong, "\n".join(wrong)


def test_only_the_clock_knows_the_time():
    wrong = [
        f"{path.relative_to(HOUSE)}:{node.lineno} asks the system for the time: use extensions.clock.now()."
        for path, tree in code()
        if path.name != "extensions.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("now", "utcnow", "today")
        if isinstance(node.value, (ast.Name, ast.Attribute))
        if (getattr(node.value, "id", "") or getattr(node.value, "attr", "")) in ("datetime", "date")
    ]
    assert not wrong, "\n".join(wrong)


def test_every_verb_is_used_and_every_used_verb_is_known():
    used = set()
    for _path, tree in code():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in events.VERBS:
                used.add(node.value)
    # events.py itself names every verb once, as a key: count what is named outside it.
    outside = set()
    for path, tree in code():
        if path.name == "events.py":
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                outside.add(node.value)
    unused = sorted(set(events.VERBS) - outside)
    assert not unused, f"events.VERBS has verbs nothing records: {', '.join(unused)}."
    for path, tree in code():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                if node.func.attr in ("record", "record_alone") and node.args and isinstance(node.args[0], ast.Constant):
                    verb = node.args[0].value
                    assert verb in events.VERBS, f"{path.name}:{node.lineno} records {verb}, which events.py lacks."


def test_templates_are_all_used():
    everything = "\n".join(
        path.read_text() for path in [*HOUSE.glob("*.py"), *HOUSE.glob("blueprints/**/*.py"), *templates()]
    )
    for path in templates():
        name = path.relative_to(HOUSE / "templates").as_posix()
        if name.startswith("errors/"):
            continue
        stem = name.removesuffix(".txt") if name.startswith("email/") else name
        known = stem.removeprefix("email/") in tasks.EMAILS if name.startswith("email/") else f'"{name}"' in everything
        assert known, f"templates/{name} is used by nothing: remove it or render it."


def test_every_kind_of_email_has_its_template():
    for kind in tasks.EMAILS:
        assert (HOUSE / "templates/email" / f"{kind}.txt").exists(), f"templates/email/{kind}.txt is missing."


FORBIDDEN_IN_TEMPLATES = {
    r"\|\s*safe\b": "|safe shows what a person typed as HTML",
    r"\sstyle\s*=": "the content policy forbids style attributes: use a class",
    r"\son[a-z]+\s*=\s*[\"']": "the content policy forbids inline handlers",
    r"<script(?![^>]*\bsrc=)": "the content policy forbids inline scripts",
    r"<style\b": "the content policy forbids inline styles",
    r"https?://(?!www\.w3\.org)": "pages ask no other host for anything",
    r"\{%-?\s*autoescape\s+false": "autoescaping stays on",
}


def test_templates_trust_nothing_and_ask_nobody():
    wrong = []
    for path in templates():
        text = re.sub(r"\{#.*?#\}", "", path.read_text(), flags=re.S)
        for pattern, why in FORBIDDEN_IN_TEMPLATES.items():
            for match in re.finditer(pattern, text):
                line = text.count("\n", 0, match.start()) + 1
                wrong.append(f"{path.relative_to(HOUSE)}:{line} {match.group(0).strip()!r}: {why}.")
    assert not wrong, "\n".join(wrong)


def test_every_form_that_posts_carries_a_token_and_a_one_time_key():
    wrong = []
    for path in templates():
        for form in re.findall(r"<form\b.*?</form>", path.read_text(), flags=re.S):
            if re.search(r"method=[\"']?post", form, flags=re.I) and not (
                re.search(r"\b(hidden|guards)\(", form) or ("csrf_token" in form and "once" in form)
            ):
                wrong.append(f"{path.relative_to(HOUSE)}: a form posts without forms.hidden(form): {form[:80]!r}")
    assert not wrong, "\n".join(wrong)


def test_no_string_built_sql():
    wrong = []
    for path, tree in code("*.py", "blueprints/**/*.py"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "execute_sql":
                if node.args and not isinstance(node.args[0], (ast.Constant, ast.Name, ast.Attribute)):
                    wrong.append(f"{path.relative_to(HOUSE)}:{node.lineno} builds SQL from strings: pass parameters.")
    assert not wrong, "\n".join(wrong)


def test_migrations_stand_alone_and_lead_to_the_models(app):
    for path, tree in code("migrations/*.py"):
        for _node, target in imports(tree):
            assert not target.startswith(("models", "extensions")), f"{path.name} must not import {target}."
    found = diff_models(db.obj, models.tables())
    # Postgres keeps the search index of texts in generated columns, which no model has a use for.
    found = found._replace(
        drop_columns=[column for column in found.drop_columns if column[1] != "text_index"],
        drop_indexes=[index for index in found.drop_indexes if not index.name.endswith("_text_index")],
    )
    assert not found, f"The migrated schema differs from models.py: {found}"


def test_no_star_imports():
    for path, tree in code("*.py", "blueprints/**/*.py", "tests/**/*.py"):
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                assert all(name.name != "*" for name in node.names), f"{path.name}:{node.lineno} imports *; name it."

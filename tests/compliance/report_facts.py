"""Facts of reports as they come out of a project, made up and always the same, for what is made of them."""

import hashlib
import math
import random
from typing import Any

from audit.compliance.reports.facts import (
    AccessSection,
    CardSection,
    ChainFact,
    Curve,
    DatasetFact,
    EventFact,
    Fact,
    FileFact,
    FindingFact,
    Head,
    MetricFact,
    RuleFact,
    RunSection,
    SignatureFact,
    TrailSection,
    VerdictFact,
)


def digest_of(*words: object) -> str:
    return hashlib.sha256("/".join(str(word) for word in words).encode()).hexdigest()


RULES = [
    ("P1", "Purpose stated", "AI Act Annex IV 1; NIST RMF MAP 1.1", "Blocks approval"),
    ("D1", "Every input dataset bound to a version by digest", "AI Act 10(2)(b), Annex IV 2(d)", "Blocks approval"),
    ("D2", "Source, licence, collection date and purpose recorded", "AI Act 10(2)(b)", "Fix or waive"),
    ("D3", "Training and evaluation data are kept apart", "AI Act 10(3); EU GMP Annex 22 (draft)", "Blocks approval"),
    ("D5", "Representativeness and bias were examined", "AI Act 10(2)(f)-(h)", "Blocks approval"),
    ("V1", "Code commit recorded, repository named", "21 CFR 11.10(k)", "Blocks approval"),
    ("V3", "Environment captured: interpreter, packages, hardware", "AI Act Annex IV 2(c)", "Blocks approval"),
    ("V4", "Reproduced by another person within tolerance", "21 CFR 11.10(a)", "Fix or waive"),
    ("V5", "All seeds recorded, or non-determinism declared", "SR 26-2", "Fix or waive"),
    ("E1", "Evaluated with named metrics on data kept apart", "AI Act Annex IV 2(g)", "Blocks approval"),
    ("E2", "Acceptance criteria were written before", "AI Act Annex IV 2(g), 4", "Fix or waive"),
    ("E4", "No NaN or infinity among the deciding metrics", "ALCOA accurate", "Fix or waive"),
    ("R2", "Four eyes: the approver is no author, contributor or submitter", "21 CFR 11.10(g)", "Blocks approval"),
    ("S2", "The signature still matches the frozen record", "21 CFR 11.70", "Blocks approval"),
    ("A1", "Every artifact verifies against storage now", "21 CFR 11.10(a), (c); AI Act 15", "Blocks approval"),
    ("H1", "History unbroken: chain and checkpoints verify", "21 CFR 11.10(e); AI Act 12", "Blocks approval"),
    ("H3", "Logged at the time of work", "ALCOA contemporaneous", "Information"),
    ("C2", "The run ended in a final state", "ALCOA complete", "Fix or waive"),
    ("T2", "Logs kept for at least 183 days", "AI Act 19", "Blocks approval"),
    ("X1", "The export opens offline and verifies", "21 CFR 11.10(b)", "Fix or waive"),
]
WORDS = {
    "pass": ("Pass", "Recorded and found as it should be.", ""),
    "fail": ("Fail", "What is recorded says otherwise.", "Log the run again with what is asked."),
    "missing": ("Not recorded", "Nothing in the record speaks of it.", "Log it with the line that the run page shows."),
    "waived": ("Waived", "No second person has run it so far.", ""),
    "na": ("Not applicable", "The model is not in use on patients.", ""),
}


def a_head(kind: str = "compliance", **changes: Any) -> Head:
    words = {
        "compliance": "Compliance report",
        "trail": "Audit-trail extract",
        "reproducibility": "Reproducibility summary",
        "model_card": "Model card",
        "access": "Access review",
    }
    facts: dict[str, Any] = {
        "kind": kind,
        "kind_words": words[kind],
        "title": f"{words[kind]}, November",
        "project": "Sepsis early warning",
        "project_slug": "sepsis",
        "about": [Fact("Scope", "The runs of a filter"), Fact("Organisation", "St. Elm Clinical AI")],
        "question": [
            Fact("Query", "metrics.`val/auroc` > 0.8 and params.model = 'gru'"),
            Fact("Experiments", "ward-a, ward-b"),
            Fact("Lifecycle", "active"),
        ],
        "requested_by": "Mei Tanaka",
        "requested_roles": "Auditor",
        "requested_at": "2026-11-22T09:52:23.412331Z",
        "reason": "Quarterly review, and questions of the notified body of 12 November.",
        "as_of": "2026-11-21T23:59:59.250000Z",
        "log_size": 48_213,
        "log_root": digest_of("root"),
        "key_id": "mled.st-elm.example+6f1c2d9a",
        "origin": "log.st-elm.example",
        "anchored": "File anchors.log, checkpoint of 48,213 events, 2026-11-21 23:59:58 UTC",
        "profile": "EU AI Act, high-risk systems, version 1.0",
        "profile_digest": digest_of("profile"),
        "software": "MLED 0.1.0",
        "counts": [Fact("Runs", "96"), Fact("Compliant", "81"), Fact("Flagged", "4"), Fact("Rules not met", "131")],
        "notes": ["Two runs of the filter were purged on 3 October 2026; their tombstones are in the log."],
    }
    return Head(**facts | changes)


def a_signature(name: str = "Mei Tanaka", **changes: Any) -> SignatureFact:
    facts: dict[str, Any] = {
        "printed_name": name,
        "roles": "Auditor",
        "meaning": "Reviewed and found compliant with profile EU AI Act, high-risk systems, version 1.0",
        "signed_at": "2026-11-20T14:03:11.090000Z",
        "comment": "The seed of the sampler was recorded late; it makes no difference for the result.",
        "digest": digest_of("signed", name),
        "proven_by": "password and authenticator",
        "seq": 47_120,
        "holds": "The signature matches the record.",
    }
    return SignatureFact(**facts | changes)


def some_rules(seed: int, times: int = 1) -> list[RuleFact]:
    rng = random.Random(seed)
    found = []
    for number in range(times):
        for rule, title, clauses, severity in RULES:
            outcome = rng.choices(list(WORDS), [12, 1, 2, 1, 1])[0]
            label, words, fix = WORDS[outcome]
            is_waived = outcome == "waived"
            found.append(
                RuleFact(
                    rule=rule if not number else f"{rule}.{number}",
                    title=title,
                    clauses=clauses,
                    severity=severity,
                    outcome=outcome,
                    outcome_words=label,
                    words=words,
                    fix=fix,
                    proof="/r/SEPSIS-1042/history/",
                    by="Jonas Weber, Tomás Ferreira (co-signed)" if is_waived else "",
                    until="2027-03-01" if is_waived else "",
                )
            )
    return found


def a_curve(key: str, seed: int, points: int = 480, start: float = 0.9) -> Curve:
    rng = random.Random(seed)
    steps = [float(number * 50) for number in range(points)]
    values = [start * math.exp(-number / (points / 4)) + 0.05 + rng.gauss(0, 0.012) for number in range(points)]
    return Curve(key, steps, values, points=points * 62, gaps=seed % 3)


def some_events(count: int, seed: int = 1, first: int = 31_200) -> list[EventFact]:
    rng = random.Random(seed)
    acts = [
        ("experiments.log_run", "SEPSIS-1042", "params: 1 to 24"),
        ("experiments.set_tag", "SEPSIS-1042", "mlflow.note.content: '' → 'Wards A to C, without readmissions'"),
        ("compliance.submit_run", "SEPSIS-1042", "state: not reviewed → submitted"),
        ("compliance.sign_verdict", "Review 2 of SEPSIS-1042", "state: in_review → compliant"),
        ("experiments.amend_run", "SEPSIS-1042", "params.dropout: 0.1 → 0.15"),
    ]
    events = []
    for number in range(count):
        verb, subject, change = acts[rng.randrange(len(acts))]
        events.append(
            EventFact(
                seq=first + number * 3,
                at=f"2026-11-{1 + number % 21:02d}T{number % 24:02d}:{number % 60:02d}:07.120000Z",
                actor=rng.choice(["Ada Byron", "Mei Tanaka", "Tomás Ferreira"]),
                roles=rng.choice(["Data scientist", "Auditor", "ML engineer"]),
                door=rng.choice(["web", "mlflow", "rest"]),
                verb=verb,
                subject=subject,
                change=change,
                reason="Typing mistake in the configuration" if verb.endswith("amend_run") else "",
                outcome="ok",
            )
        )
    return events


def a_run_section(number: int = 1042, *, size: int = 1, **changes: Any) -> RunSection:
    """size: how often what a run has many of is there."""
    rng = random.Random(number)
    keys = ["val/auroc", "val/loss", "train/loss", "val/f1", "test/auroc", "test/auroc/sex:female", "test/brier"]
    facts: dict[str, Any] = {
        "id": f"SEPSIS-{number}",
        "uid": digest_of("run", number)[:32],
        "name": f"gru-wards-{number}",
        "url": f"https://mled.st-elm.example/r/SEPSIS-{number}/",
        "about": [
            Fact("Author", rng.choice(["Ada Byron", "Tomás Ferreira"])),
            Fact("Experiment", "ward-a"),
            Fact("Status", "Finished"),
            Fact("Started", "2026-11-18T08:12:09.100000Z"),
            Fact("Ended", "2026-11-18T11:40:51.731000Z"),
            Fact("Duration", "3 h 28 min 42 s"),
            Fact("Lock", "Locked since 2026-11-19T07:00:00Z"),
            Fact("Retention", "AI Act documents, until 2036-11-22"),
            Fact("Purpose", "Warns nurses up to six hours before a sepsis, on wards without continuous monitoring."),
        ],
        "state": rng.choice(["Compliant", "In review", "Flagged", "Not reviewed", "Changed since review"]),
        "datasets": [
            DatasetFact(
                name="icu-vitals",
                version=7,
                digest=digest_of("icu", number),
                context="train",
                source="https://data.st-elm.example/exports/icu-vitals/2026-09/",
                licence="Hospital data, internal use",
                personal_data="Pseudonymous",
                rows="1,204,331",
            ),
            DatasetFact(
                name="icu-vitals-holdout",
                version=2,
                digest=digest_of("holdout", number),
                context="test",
                source="",
                licence="",
                personal_data="Pseudonymous",
                rows="120,433",
                recalled="Withdrawn on 2026-11-12: consent of 14 people was missing." if number % 5 == 0 else "",
            ),
        ],
        "params": [
            Fact(f"optimizer.group{index}.{name}" if index else name, f"{rng.random():.12g}")
            for index in range(size)
            for name in ["lr", "dropout", "weight_decay", "hidden", "layers", "batch_size", "seed", "warmup", "clip"]
        ],
        "metrics": [
            MetricFact(
                key=key if not index else f"{key}/{index}",
                last=repr(rng.random()),
                step=24_750,
                least=repr(rng.random() / 2),
                greatest=repr(0.5 + rng.random() / 2),
                points=24_750,
                better="higher" if "auroc" in key else "lower",
            )
            for index in range(size)
            for key in keys
        ],
        "curves": [a_curve("val/auroc", number, start=-0.4), a_curve("val/loss", number + 1)],
        "files": [
            FileFact(f"{folder}/part-{index:04d}.bin", rng.randrange(10**9), digest_of(number, folder, index))
            for index in range(size)
            for folder in ["model", "checkpoints/epoch", "plots", "reports/by ward"]
        ],
        "environment": [
            Fact("Python", "3.11.9"),
            Fact("System", "Linux 6.8, x86_64"),
            Fact("CPU", "AMD EPYC 7543, 32 cores"),
            Fact("GPU", "2 × NVIDIA A100 80 GB"),
            Fact("Lock file", digest_of("lock")),
            Fact("Container", ""),
        ],
        "code": [
            Fact("Repository", "https://git.st-elm.example/sepsis/warning"),
            Fact("Commit", digest_of("commit")[:40]),
            Fact("Branch", "main"),
            Fact("Work tree", "clean"),
            Fact("Entry point", "train.py --config configs/ward_a.yaml"),
        ],
        "tags": [Fact("team", "early-warning"), Fact("mled.criteria", "val/auroc >= 0.85, no ward below 0.80")],
        "rules": some_rules(number, times=2),
        "assessed": "2026-11-21T22:10:00Z",
        "verdicts": [
            VerdictFact(
                1, "Flagged", "Ada Byron", "2026-11-19T07:00:00Z", "Mei Tanaka", "2026-11-19T12:30:00Z",
                "The licence of the hold-out data is not recorded.", a_signature(meaning="Reviewed and flagged"),
            ),
            VerdictFact(
                2, "Compliant", "Ada Byron", "2026-11-20T09:00:00Z", "Mei Tanaka", "2026-11-20T14:03:11Z",
                "What was missing is recorded now.", a_signature(),
            ),
        ],
        "findings": [
            FindingFact(
                "The licence of the hold-out data is not recorded.", "Something is not recorded", "D2", "Closed",
                "Ada Byron", "2026-12-01", "Mei Tanaka", "2026-11-19T12:30:00Z",
                "Recorded with version 3 of the dataset.", "Mei Tanaka", "2026-11-20T14:00:00Z",
            ),
            FindingFact(
                "Reproduction by another person is due.", "The method is not sound", "V4", "Open",
                "Tomás Ferreira", "2026-12-15", "Mei Tanaka", "2026-11-20T14:01:00Z", "", "", "",
            ),
        ],
        "reproductions": [Fact("SEPSIS-1101", "By Tomás Ferreira, val/auroc differs by 0.0004 (tolerance 0.002)")],
        "events": some_events(9 * size, seed=number),
        "chain": ChainFact(9 * size, 31_200, 31_200 + 27 * size, ""),
        "gaps": ["Licence of icu-vitals-holdout v2", "Source of icu-vitals-holdout v2", "Container of the environment"],
    }  # fmt: skip
    return RunSection(**facts | changes)


def an_empty_run() -> RunSection:
    return RunSection(
        id="SEPSIS-1", uid=digest_of("empty")[:32], name="", url="", about=[], state="", datasets=[], params=[],
        metrics=[], curves=[], files=[], environment=[], code=[], tags=[], rules=[], assessed="", verdicts=[],
        findings=[], reproductions=[], events=[], chain=ChainFact(0, None, None, ""), gaps=["Everything"],
    )  # fmt: skip


def a_card_section(**changes: Any) -> CardSection:
    prose = (
        "Estimates the risk that an adult in-patient develops a sepsis within the next six hours. It is meant "
        "for nurses and physicians of general wards as one sign among others; it decides nothing by itself.\n\n"
        "It was trained on stays of 2019 to 2025 of three hospitals. Children and "
        "people in palliative care were left out."
    )
    facts: dict[str, Any] = {
        "id": "sepsis-risk v12",
        "name": "sepsis-risk v12",
        "url": "https://mled.st-elm.example/p/sepsis/models/sepsis-risk/12/",
        "written": [
            Fact("Intended use", prose),
            Fact("Limits", "Recall falls to 0.71 where fewer than two laboratory values are known."),
            Fact("Ethical considerations", ""),
            Fact("How to be used", "Not for children. An alarm needs a person who looks at the patient."),
        ],
        "recorded": [
            ("Where it comes from", a_run_section().about[:6]),
            ("Data", [Fact("icu-vitals v7", digest_of("icu")), Fact("icu-vitals-holdout v2", digest_of("holdout"))]),
            ("Results", [Fact("test/auroc", "0.8721345178"), Fact("test/brier", "0.0912"), Fact("test/recall", "")]),
        ],
        "signatures": [a_signature("Jonas Weber", roles="Project manager", meaning="Approved for production")],
        "gaps": ["Ethical considerations", "test/recall"],
        "chain": ChainFact(31, 12_004, 47_800, ""),
    }
    return CardSection(**facts | changes)


def a_trail_section(number: int = 1, count: int = 300) -> TrailSection:
    first = 1000 * number
    return TrailSection(
        f"{first}", f"Events {first:,} to {first + 3 * count:,}", some_events(count, seed=number, first=first)
    )


def an_access_section(number: int = 1, **changes: Any) -> AccessSection:
    names = ["Ada Byron", "Tomás Ferreira", "Mei Tanaka", "Jonas Weber", "Priya Raman"]
    facts: dict[str, Any] = {
        "id": f"user-{number}",
        "name": names[number % len(names)],
        "about": [
            Fact("E-mail", f"person{number}@st-elm.example"),
            Fact("Roles here", "Data scientist"),
            Fact("Last signed in", "2026-11-20T08:00:00Z"),
            Fact("Second factor", "Authenticator"),
            Fact("Tokens", "2, the older of 2026-02-11"),
        ],
        "rights": [
            Fact("See runs", "all"),
            Fact("Log to runs", "all that are not locked"),
            Fact("Delete drafts", "own"),
            Fact("Submit for review", "own"),
            Fact("Approve promotions", ""),
            Fact("Register versions", "all"),
        ],
        "why": ["Data scientist since 2026-01-12, appointed by Jonas Weber", "Member of the group Early warning"],
        "notes": ["Has not signed in for 120 days."] if number % 3 == 0 else [],
    }
    return AccessSection(**facts | changes)

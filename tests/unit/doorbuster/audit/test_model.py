from doorbuster.audit.model import MOST_KEPT, MOST_SHOWN, Breach, Findings, Invariant, Subject, Waiting


def breach(number: int, *, invariant: Invariant = Invariant.STOCK, subject: Subject = Subject.PRODUCT) -> Breach:
    return Breach(invariant=invariant, subject=subject, id=number, detail="wrong")


def test_findings_count_everything_and_keep_a_bounded_number_of_each_invariant() -> None:
    findings = Findings()
    findings.add(breach(number) for number in range(MOST_KEPT + 5))
    findings.add([breach(1, invariant=Invariant.SALES), Waiting.PENDING, Waiting.PENDING])

    assert findings.counts == {Invariant.STOCK: MOST_KEPT + 5, Invariant.SALES: 1}
    assert len(findings.breaches) == MOST_KEPT + 1
    assert findings.waiting == {Waiting.PENDING: 2}


def test_findings_know_that_they_have_not_kept_all_but_what_each_look_meets_again() -> None:
    kept, dropped, messages = Findings(), Findings(), Findings()
    kept.add(breach(number) for number in range(MOST_KEPT))
    dropped.add(breach(number) for number in range(MOST_KEPT + 1))
    messages.add(breach(number, subject=Subject.MESSAGE) for number in range(MOST_KEPT + 1))

    assert (kept.forgotten, dropped.forgotten, messages.forgotten) == (False, True, False)


def test_a_row_that_two_checks_meet_is_counted_once() -> None:
    findings = Findings()
    findings.add([breach(1), breach(1), breach(1, invariant=Invariant.SALES), breach(2)])

    assert findings.counts == {Invariant.STOCK: 2, Invariant.SALES: 1}


def test_what_is_broken_can_be_looked_for_again_by_its_subject() -> None:
    findings = Findings()
    findings.add([breach(1), breach(2, subject=Subject.USER), breach(3, subject=Subject.USER)])

    assert findings.ids(Subject.USER) == {2, 3}
    assert findings.ids(Subject.ORDER) == set()


def test_ids_are_shown_as_people_and_other_tables_write_them() -> None:
    raw = bytes(range(16))

    def shown(subject: Subject, key: int | bytes) -> str:
        return Breach(invariant=Invariant.KEYS, subject=subject, id=key, detail="").shown_id

    assert shown(Subject.PRODUCT, 12) == "12"
    assert shown(Subject.ORDER, raw) == "00010203-0405-0607-0809-0a0b0c0d0e0f"
    assert shown(Subject.KEY, raw) == raw.hex()


def test_only_so_many_are_shown() -> None:
    assert MOST_SHOWN == 20 <= MOST_KEPT

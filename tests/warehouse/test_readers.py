"""Who is let read what, and what the tables say of themselves. The policies: marts/test_dbt_access.

Knows `airflow_xero.readers`, the mapping and the catalogue.
"""

from __future__ import annotations

import pytest

from airflow_xero.errors import XeroSetupError
from airflow_xero.readers import Reader, let_read, readers, stop_reading

KAURI = "11111111-1111-4111-8111-111111111111"
RATA = "22222222-2222-4222-8222-222222222222"
TWIN = "33333333-3333-4333-8333-333333333333"


@pytest.fixture
def kept(warehouse):
    """A warehouse with three organisations, two of one name, and two roles of the server's."""
    warehouse.execute(
        "insert into xero_ops.tenants (tenant_id, tenant_name)"
        " values (%s, 'Kauri'), (%s, 'Rata'), (%s, 'Rata')",
        (KAURI, RATA, TWIN),
    )
    warehouse.execute("create role let_member nologin in role bi_reader")
    warehouse.execute("create role let_stranger nologin")
    yield warehouse
    warehouse.execute("drop role let_member, let_stranger")


def test_nobody_reads_anything_after_an_installation(warehouse):
    assert readers(warehouse) == []


def test_organisations_are_named_by_id_or_name_and_twice_is_once(kept):
    for _ in range(2):
        assert let_read(kept, "let_member", ["Kauri", TWIN.upper()]) == ()
    assert readers(kept) == [Reader("let_member", False, ("Kauri", "Rata"))]


def test_every_organisation_is_a_role_that_is_granted_and_revoked(kept):
    let_read(kept, "let_member", None)
    let_read(kept, "let_member", ["Kauri"])
    assert readers(kept) == [Reader("let_member", True, ("Kauri",))]
    assert stop_reading(kept, "let_member", None) == 2
    assert readers(kept) == []


def test_a_login_that_may_not_grant_roles_says_what_an_administrator_runs(kept):
    kept.execute("grant usage on schema xero_ops to let_stranger")
    kept.execute("set role let_stranger")
    with pytest.raises(XeroSetupError, match='`grant "bi_reader_of_all" to "let_member"`'):
        let_read(kept, "let_member", None)
    kept.execute("reset role")
    kept.execute("revoke usage on schema xero_ops from let_stranger")


@pytest.mark.parametrize(
    ("reader", "tenant", "said"),
    [
        ("nobody_there", "Kauri", "has no role 'nobody_there'"),
        ("let_member", "Totara", "No organisation is called 'Totara'"),
        ("let_member", "Rata", "Several organisations are called 'Rata'"),
    ],
)
def test_what_is_not_known_for_certain_opens_nothing(kept, reader, tenant, said):
    with pytest.raises(XeroSetupError, match=said):
        let_read(kept, reader, ["Kauri", tenant])
    assert readers(kept) == []


def test_who_is_no_member_of_the_group_is_told_so(kept):
    (notice,) = let_read(kept, "let_stranger", ["Kauri"])
    assert 'grant bi_reader to "let_stranger"' in notice


def test_who_reads_every_organisation_through_a_group_is_told_so_and_how_it_ends(kept):
    let_read(kept, "bi_reader", None)
    (notice,) = let_read(kept, "let_member", ["Kauri"])
    assert "reads every organisation all the same, through bi_reader:" in notice
    assert "`airflow xero stop-reading bi_reader --every-tenant`" in notice
    assert readers(kept) == [
        Reader("bi_reader", True, ()),
        Reader("let_member", True, ("Kauri",), through=("bi_reader",)),
    ]

    stop_reading(kept, "bi_reader", None)

    assert let_read(kept, "let_member", ["Kauri"]) == ()
    assert readers(kept) == [Reader("let_member", False, ("Kauri",))]


def test_who_was_let_read_every_organisation_itself_is_told_so(kept):
    let_read(kept, "let_stranger", None)
    (notice,) = let_read(kept, "let_stranger", ["Kauri"])
    assert "`airflow xero stop-reading let_stranger --every-tenant`" in notice
    assert readers(kept) == [Reader("let_stranger", True, ("Kauri",))]


def test_readers_of_a_team_are_listed_with_what_it_adds_to_their_own(kept):
    kept.execute("grant let_stranger to let_member")
    let_read(kept, "let_stranger", [RATA, KAURI])
    let_read(kept, "let_member", [KAURI, TWIN])
    team = Reader("let_stranger", False, ("Kauri", "Rata"), is_admitted=False)
    assert readers(kept) == [
        Reader("let_member", False, ("Kauri", "Rata", "Rata"), through=("let_stranger",)),
        team,
    ]

    kept.execute("alter role let_member noinherit")
    kept.execute("revoke let_stranger from let_member")
    kept.execute("grant let_stranger to let_member")

    assert readers(kept) == [Reader("let_member", False, ("Kauri", "Rata")), team]


def test_what_was_given_is_taken_back_in_part_or_whole(kept):
    let_read(kept, "let_member", [KAURI, RATA, TWIN])
    assert stop_reading(kept, "let_member", [RATA]) == 1
    assert readers(kept) == [Reader("let_member", False, ("Kauri", "Rata"))]
    assert stop_reading(kept, "let_member", None) == 2
    assert readers(kept) == []


def test_both_are_written_into_the_audit_log(kept):
    let_read(kept, "let_member", [KAURI])
    stop_reading(kept, "let_member", None)
    assert kept.execute(
        "select action, tenant_id::text, detail from xero_ops.audit_log order by entry_id"
    ).fetchall() == [
        ("let read", KAURI, {"reader": "let_member"}),
        ("stopped reading", None, {"reader": "let_member"}),
    ]


def test_an_organisation_that_is_gone_is_nobodys(kept):
    let_read(kept, "let_member", [KAURI])
    kept.execute("delete from xero_ops.tenants where tenant_id = %s", (KAURI,))
    assert readers(kept) == []


def test_every_table_view_and_column_of_the_library_says_what_it_is(warehouse):
    warehouse.execute("call xero_ops.create_raw_table('later')")
    silent = warehouse.execute(
        "select class.oid::regclass::text, attribute.attname::text from pg_class as class"
        " inner join pg_attribute as attribute on class.oid = attribute.attrelid"
        " where class.relnamespace in ('xero_ops'::regnamespace, 'xero_raw'::regnamespace)"
        " and class.relkind in ('r', 'v') and attribute.attnum > 0 and not attribute.attisdropped"
        " and (obj_description(class.oid) is null"
        " or col_description(class.oid, attribute.attnum) is null)"
    ).fetchall()
    assert silent == []

"""The filter language of lists: what it understands, what it refuses, and that it never breaks."""

from __future__ import annotations

import pytest

from tests.sandbox.few_invoices import ANA, BEN, INVOICES
from xero_sandbox.api.where import Where, parse_where
from xero_sandbox.errors import QueryParseError


def matched(text: str) -> list[str]:
    where = parse_where(text, "Invoice")
    return [record["InvoiceID"] for record in INVOICES if where.matches(record)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('Status=="PAID"', "23"),
        ('Status="PAID"', "23"),
        ('  status \t== \n "PAID"  ', "23"),
        ('"PAID" == STATUS', "23"),
        ('Status!="PAID"', "1"),
        ('Status<>"PAID"', "1"),
        ('Status=="paid"', ""),
        ('Status=="PAID" AND Type=="ACCREC"', "2"),
        ('Status=="PAID" && Type=="ACCREC"', "2"),
        ('Status=="DRAFT" OR Type=="ACCPAY"', "13"),
        ('Status=="DRAFT" || Type=="ACCPAY"', "13"),
        ('Type=="ACCPAY" or Type=="ACCREC" and Status=="DRAFT"', "13"),
        ('(Type=="ACCPAY" or Type=="ACCREC") and Status=="DRAFT"', "1"),
        ('NOT Status=="PAID"', "1"),
        ('!(Status=="PAID")', "1"),
        ('not not Status=="PAID"', "23"),
        ("Total>=99.99", "23"),
        ("Total>99.99M", "3"),
        ("total < 100", "12"),
        ("Total<=100.00", "123"),
        ("AmountDue<0", "3"),
        ("AmountDue == -0.5", "3"),
        ("AmountDue==Total", "1"),
        ("Date==DateTime(2026,1,31)", "1"),
        ("Date >= DateTime(2026, 01, 31) AND Date < DateTime(2026, 02, 01)", "1"),
        ("Date>datetime(2026,1,31,23,59,59)", "2"),
        ("Date<DateTime(1970,1,1)", "3"),
        (f'Contact.ContactID==Guid("{ANA}")', "1"),
        (f'contact.contactid=guid("{ANA.upper()}")', "1"),
        (f'Contact.ContactID==Guid("{BEN.replace("-", "")}")', "2"),
        ('Contact.Name=="ben"', "2"),
        ('Contact.Name.Contains("ns")', "1"),
        ('Contact.Name.StartsWith("b")', "2"),
        ('Contact.Name.EndsWith("ünsal")', ""),
        ('Contact.Name.ToLower().EndsWith("ünsal")', "1"),
        ('Contact.Name.ToUpper()=="BEN"', "2"),
        ('Reference.Contains("""first""")', "1"),
        ('Reference.Contains("\\"first\\"")', "1"),
        ('Reference=="C:\\\\second"', "2"),
        ("Reference==null", "3"),
        ("Reference!=null", "12"),
        ('Reference!="x"', "123"),
        ('Reference.Contains("x")', ""),
        ("Contact.ContactNumber==null", "123"),
        ("CurrencyRate>1", ""),
        ("Contact==null and Contact.Balances.AccountsPayable.Overdue==null", ""),
        ("IsDiscounted", "2"),
        ("IsDiscounted==true", "2"),
        ("IsDiscounted==false", "1"),
        ("IsDiscounted!=true", "13"),
        ("!IsDiscounted", "13"),
        ("(IsDiscounted)==(Total>50)", "12"),
        ("true", "123"),
        ("false or null", ""),
        ("1==1", "123"),
    ],
)
def test_a_filter_selects(text: str, wanted: str) -> None:
    assert matched(text) == list(wanted)


@pytest.mark.parametrize(
    ("text", "problem", "at"),
    [
        ("", "Expression expected", 0),
        ("   ", "Expression expected", 3),
        ("Status==", "Expression expected", 8),
        ("==Status", "Expression expected", 0),
        ('Status="A" AND', "Expression expected", 14),
        ('AND Status="A"', "Expression expected", 0),
        ("()", "Expression expected", 1),
        ('(Status=="A"', "')' expected", 12),
        ('Status=="A")', "Syntax error", 11),
        ('Status=="A" Type=="B"', "Syntax error", 12),
        ("Type=Url=Url", "Syntax error", 8),
        ("Status eq 5", "Expression of type 'Boolean' expected", 0),
        ("HasErrors eq 5", "Syntax error", 10),
        ('Status=="A', "Unterminated string literal", 8),
        ("Status=='A'", "Character literal must contain exactly one character", 8),
        ("Status==#", "Syntax error '#'", 8),
        ("Total==1.2.3", "Syntax error '1'", 7),
        ("Total==12x", "Syntax error '1'", 7),
        ("Contact.==1", "Identifier expected", 8),
        ("Contact.5", "Identifier expected", 8),
        ('Type.Foo("x")', "No applicable method 'Foo' exists in type 'String'", 5),
        ("Type.Contains()", "No applicable method 'Contains' exists in type 'String'", 5),
        ('Type.ToLower("x")', "No applicable method 'ToLower' exists in type 'String'", 5),
        ('InvoiceID.Contains("x")', "No applicable method 'Contains' exists in type 'Guid'", 10),
        ('Type.Contains("x"', "')' expected", 17),
        ('Type.Contains("x",', "')' expected", 18),
        ("Type.Contains(Type)", "')' expected", 14),
        ('Foo("x")', "No applicable method 'Foo' exists", 0),
        ('InvoiceID==Guid("x")', "Guid should contain 32 digits with 4 dashes", 16),
        ("InvoiceID==Guid(5)", "No applicable method 'Guid' exists", 11),
        ("Date>DateTime(2026,13,1)", "The DateTime represented does not exist", 14),
        ("Date>DateTime(2026,2,29)", "The DateTime represented does not exist", 14),
        ("Date>DateTime(0,1,1)", "The DateTime represented does not exist", 14),
        ("Date>DateTime(2026)", "No applicable constructor exists in type 'DateTime'", 14),
        ("Date>DateTime(2026,1.5,1)", "No applicable constructor exists in type 'DateTime'", 14),
        ("Date>DateTime()", "No applicable method 'DateTime' exists", 5),
        ("Date>DateTime(-1,1,1)", "')' expected", 14),
        ('"text"', "Expression of type 'Boolean' expected", 0),
        ("5 AND true", "Expression of type 'Boolean' expected", 0),
        ("true AND 5", "Expression of type 'Boolean' expected", 9),
        ("!DueDate", "Expression of type 'Boolean' expected", 1),
        (
            'InvoiceID=="a"',
            "Operator '==' incompatible with operand types 'Guid' and 'String'",
            9,
        ),
        (
            'DueDate > "2024-01-01"',
            "Operator '>' incompatible with operand types 'DateTime' and 'String'",
            8,
        ),
        (
            'HasErrors="true"',
            "Operator '==' incompatible with operand types 'Boolean' and 'String'",
            9,
        ),
        (
            "HasErrors>true",
            "Operator '>' incompatible with operand types 'Boolean' and 'Boolean'",
            9,
        ),
        ('AmountDue>"x"', "Operator '>' incompatible with operand types 'Decimal' and 'String'", 9),
        (
            "Total==Status",
            "Operator '==' incompatible with operand types 'Decimal' and 'String'",
            5,
        ),
        ('Contact=="x"', "Operator '==' incompatible with operand types 'Contact' and 'String'", 7),
        (
            "Contact>Contact",
            "Operator '>' incompatible with operand types 'Contact' and 'Contact'",
            7,
        ),
        ("Payments<null", "Operator '<' incompatible with operand types 'List' and 'Object'", 8),
        ("Status", "Expression of type 'Boolean' expected", 0),
        ("LineItems", "Expression of type 'Boolean' expected", 0),
        ('Statuss=="PAID"', "No property or field 'Statuss' exists in type 'Invoice'", 0),
        ('Type=="x" AND paid', "No property or field 'paid' exists in type 'Invoice'", 14),
        ("Contact.Nam==null", "No property or field 'Nam' exists in type 'Contact'", 8),
        ('Contact.Nam.Contains("x")', "No property or field 'Nam' exists in type 'Contact'", 8),
        ("Contact.Name.Deeper==null", "No property or field 'Deeper' exists in type 'String'", 13),
        ("Payments.Amount>1", "No property or field 'Amount' exists in type 'List'", 9),
        ("IsSold", "No property or field 'IsSold' exists in type 'Invoice'", 0),
    ],
)
def test_a_filter_that_cannot_be_read_is_refused_and_the_place_is_named(
    text: str, problem: str, at: int
) -> None:
    with pytest.raises(QueryParseError) as refused:
        parse_where(text, "Invoice")
    assert str(refused.value) == f"{problem} (at index {at})"


@pytest.mark.parametrize(
    "text",
    [
        "(" * 2_000 + "true" + ")" * 2_000,
        "!" * 2_000 + "true",
        "NOT " * 60 + "true",
        "Type" + ".ToLower()" * 2_000 + '=="x"',
    ],
    ids=["parentheses", "signs", "words", "methods"],
)
def test_a_filter_that_is_too_deep_is_refused(text: str) -> None:
    with pytest.raises(QueryParseError, match="too deep"):
        parse_where(text, "Invoice")


@pytest.mark.parametrize(
    "text",
    [
        " AND ".join(["Total>0"] * 5_000),
        " OR ".join(["Total<0"] * 5_000) + " OR true",
        "Total<" + "9" * 2_000,
        "(" * 40 + "true" + ")" * 40,
    ],
    ids=["all of many", "any of many", "number", "parentheses"],
)
def test_a_long_filter_is_read(text: str) -> None:
    assert matched(text) == ["1", "2", "3"]


@pytest.mark.parametrize(
    "text", ["a" * 2_000 + "==null", ".".join(["Contact"] * 5_000) + "==null"], ids=["name", "path"]
)
def test_a_long_name_is_refused_like_any_other(text: str) -> None:
    with pytest.raises(QueryParseError, match="No property or field"):
        parse_where(text, "Invoice")


def uses(where: Where) -> list[tuple[str, str]]:
    return [(".".join(use.path), use.sign) for use in where.uses]


def test_a_filter_tells_what_it_reads() -> None:
    text = 'Status=="PAID" AND Contact.Name="x" AND Date>=DateTime(2026,1,1)'
    where = parse_where(text, "Invoice")
    assert uses(where) == [("status", "=="), ("contact.name", "=="), ("date", ">=")]
    assert where.is_simple
    assert uses(parse_where('Name.ToLower()=="x"', "Contact")) == [("name", "()")]
    for text in ("Total>1 OR Total<0", "NOT Total>1", 'Url.Contains("x")'):
        assert not parse_where(text, "Invoice").is_simple

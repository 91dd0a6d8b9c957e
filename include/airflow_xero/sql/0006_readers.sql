-- Who reads which organisation in the marts: nobody reads any until a row here says so. The policy
-- that every table of the marts gets (dbt/macros/publishing) asks readable_tenants. Whoever reads
-- all of them is a member of the role bi_reader_of_all instead.

create table xero_ops.reader_tenants (
    reader_name text not null,
    tenant_id uuid not null references xero_ops.tenants on delete cascade,
    granted_by text not null default session_user,
    granted_at timestamptz not null default clock_timestamp(),
    primary key (reader_name, tenant_id)
);
comment on table xero_ops.reader_tenants is 'Which organisations a role of the database reads in the marts, it and all its members; none without a row.';

-- No security_invoker: its rows are read with its owner's rights, while current_user stays the
-- reader. A role has what the roles have that it inherits from, as with any other right; so SET
-- ROLE never opens more than was open before.
create view xero_ops.readable_tenants with (security_barrier) as
select reader_tenants.tenant_id
from pg_catalog.pg_roles
inner join xero_ops.reader_tenants on pg_roles.rolname::text = reader_tenants.reader_name
where pg_has_role(pg_roles.oid, 'usage');
comment on view xero_ops.readable_tenants is 'The organisations that whoever asks was let read in the marts, one by one.';
-- A policy reads it as the reader; its name nobody can say who has no usage of the schema.
grant select on xero_ops.readable_tenants to public;

-- An organization goes as its tenants do: first it is marked, for good, then what hangs on it goes, and its row last.

ALTER TABLE directory.organizations
  DROP CONSTRAINT organizations_status_check,
  ADD CONSTRAINT organizations_status_check CHECK (status IN ('active', 'closing', 'deleting')),
  DROP CONSTRAINT organizations_closing_is_whole,
  ADD CONSTRAINT organizations_closing_is_whole CHECK (
    (status <> 'active') = (delete_after IS NOT NULL) AND (status <> 'active') = (closing_since IS NOT NULL));
DROP POLICY only_what_ends ON directory.organizations;
CREATE POLICY only_what_ends ON directory.organizations AS RESTRICTIVE FOR DELETE TO swarmgate_platform USING (status = 'deleting');

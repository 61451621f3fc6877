-- The life of tenants and their channels: channels that are removed, claims that are handed over, tenants that are closed
-- and then deleted, domains that lead to one, audit events that are old enough to go.

-- A channel that was removed keeps its row, because its conversations stay. It has no secrets and claims nothing; whatever
-- looks at `status` finds it paused.
ALTER TABLE swarmgate.channels ADD COLUMN removed_at timestamptz(3);

-- The journey of a message. Every table: primary key and foreign keys begin with tenant_id, forced row-level security.

CREATE TABLE swarmgate.agents (
  tenant_id uuid NOT NULL REFERENCES directory.tenants (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  id uuid NOT NULL,
  slug text NOT NULL,
  name text NOT NULL,
  model text NOT NULL,
  instructions text NOT NULL DEFAULT '',
  settings jsonb NOT NULL DEFAULT '{}',
  sealed jsonb NOT NULL DEFAULT '{}',
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT agents_tenant_id_slug_key UNIQUE (tenant_id, slug)
);
SELECT swarmgate.enable_tenant_rls('swarmgate.agents', report_columns =>
  'tenant_id, id, slug, name, model, version, created_at, updated_at');

-- One connected platform account of a tenant. `sealed` maps a secret's name to its ciphertext.
CREATE TABLE swarmgate.channels (
  tenant_id uuid NOT NULL REFERENCES directory.tenants (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  id uuid NOT NULL,
  platform text NOT NULL,
  slug text NOT NULL,
  key text NOT NULL,
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'paused')),
  status_reason text,
  agent_id uuid,
  settings jsonb NOT NULL DEFAULT '{}',
  sealed jsonb NOT NULL DEFAULT '{}',
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT channels_tenant_id_slug_key UNIQUE (tenant_id, slug),
  CONSTRAINT channels_tenant_id_key_key UNIQUE (tenant_id, key),
  CONSTRAINT channels_tenant_id_agent_id_fkey FOREIGN KEY (tenant_id, agent_id)
    REFERENCES swarmgate.agents (tenant_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT
);
SELECT swarmgate.enable_tenant_rls('swarmgate.channels', report_columns =>
  'tenant_id, id, platform, slug, status, agent_id, version, created_at, updated_at');

-- A person (or bot) as a channel knows them. `external_id` is the platform's id of theirs.
CREATE TABLE swarmgate.participants (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  channel_id uuid NOT NULL,
  external_id text NOT NULL,
  verified boolean NOT NULL DEFAULT false,
  profile jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT participants_tenant_id_channel_id_external_id_key UNIQUE (tenant_id, channel_id, external_id),
  CONSTRAINT participants_tenant_id_channel_id_fkey FOREIGN KEY (tenant_id, channel_id)
    REFERENCES swarmgate.channels (tenant_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT
);
SELECT swarmgate.enable_tenant_rls('swarmgate.participants');

-- The actor. `due_at` alone says when it may run (NULL: nothing to do, or waiting for what clears `waiting_for`).
-- Times that are compared with the clock keep its microseconds: rounded up, what is due now would not be due yet.
-- The lease is held while lease_expires_at lies ahead; lease_number is the fence of every write made under it.
-- `next_sequence` numbers messages and their later revisions, under this row's lock.
CREATE TABLE swarmgate.conversations (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  channel_id uuid NOT NULL,
  participant_id uuid NOT NULL,
  agent_id uuid,
  external_id text NOT NULL,
  status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'closed')),
  next_sequence bigint NOT NULL DEFAULT 1,
  due_at timestamptz,
  waiting_for text CHECK (waiting_for IN ('slot', 'backoff', 'approval', 'quota', 'quiet_hours', 'person', 'suspension')),
  lease_number bigint NOT NULL DEFAULT 0,
  lease_holder text,
  lease_expires_at timestamptz,
  settings jsonb NOT NULL DEFAULT '{}',
  last_message_at timestamptz(3),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT conversations_tenant_id_channel_id_external_id_key UNIQUE (tenant_id, channel_id, external_id),
  CONSTRAINT conversations_tenant_id_channel_id_fkey FOREIGN KEY (tenant_id, channel_id)
    REFERENCES swarmgate.channels (tenant_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  CONSTRAINT conversations_tenant_id_participant_id_fkey FOREIGN KEY (tenant_id, participant_id)
    REFERENCES swarmgate.participants (tenant_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  CONSTRAINT conversations_tenant_id_agent_id_fkey FOREIGN KEY (tenant_id, agent_id)
    REFERENCES swarmgate.agents (tenant_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT
) WITH (fillfactor = 80);
CREATE INDEX conversations_tenant_id_participant_id_last_message_at_idx
  ON swarmgate.conversations (tenant_id, participant_id, last_message_at);
-- The sweeper's: what is due, whoever's it is.
CREATE INDEX conversations_due_at_idx ON swarmgate.conversations (due_at) WHERE due_at IS NOT NULL;
SELECT swarmgate.enable_tenant_rls('swarmgate.conversations', report_columns =>
  'tenant_id, id, channel_id, agent_id, status, due_at, waiting_for, last_message_at, created_at');

-- The transcript. A draft (an answer that is still being streamed) has no place in it yet: its sequence is NULL.
-- `revision` is the conversation's number of the latest change; a reader that has seen revision n asks for what is above.
CREATE TABLE swarmgate.messages (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  conversation_id uuid NOT NULL,
  sequence bigint,
  revision bigint,
  role text NOT NULL CHECK (role IN ('visitor', 'agent', 'operator', 'system')),
  kind text NOT NULL DEFAULT 'message' CHECK (kind IN ('message', 'action', 'reaction', 'edit', 'delete')),
  state text NOT NULL DEFAULT 'final' CHECK (state IN ('draft', 'final', 'deleted')),
  participant_id uuid,
  target_message_id uuid,
  in_reply_to_id uuid,
  client_id text,
  text text NOT NULL DEFAULT '',
  content jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT messages_tenant_id_conversation_id_sequence_key UNIQUE (tenant_id, conversation_id, sequence),
  CONSTRAINT messages_tenant_id_conversation_id_revision_key UNIQUE (tenant_id, conversation_id, revision),
  CONSTRAINT messages_final_has_a_place CHECK (state = 'draft' OR (sequence IS NOT NULL AND revision IS NOT NULL)),
  CONSTRAINT messages_tenant_id_conversation_id_fkey FOREIGN KEY (tenant_id, conversation_id)
    REFERENCES swarmgate.conversations (tenant_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  CONSTRAINT messages_tenant_id_participant_id_fkey FOREIGN KEY (tenant_id, participant_id)
    REFERENCES swarmgate.participants (tenant_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  CONSTRAINT messages_tenant_id_target_message_id_fkey FOREIGN KEY (tenant_id, target_message_id)
    REFERENCES swarmgate.messages (tenant_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  CONSTRAINT messages_tenant_id_in_reply_to_id_fkey FOREIGN KEY (tenant_id, in_reply_to_id)
    REFERENCES swarmgate.messages (tenant_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT
);
SELECT swarmgate.enable_tenant_rls('swarmgate.messages');

-- What was received already. It outlives the content it names, so it has no foreign key to it.
CREATE TABLE swarmgate.inbound_keys (
  tenant_id uuid NOT NULL,
  channel_id uuid NOT NULL,
  key text NOT NULL,
  conversation_id uuid NOT NULL,
  message_id uuid NOT NULL,
  sequence bigint NOT NULL,
  created_at timestamptz(3) NOT NULL,
  PRIMARY KEY (tenant_id, channel_id, key),
  CONSTRAINT inbound_keys_tenant_id_channel_id_fkey FOREIGN KEY (tenant_id, channel_id)
    REFERENCES swarmgate.channels (tenant_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT
);
SELECT swarmgate.enable_tenant_rls('swarmgate.inbound_keys');

-- One turn a message: the unique key is what makes "answered twice" impossible.
CREATE TABLE swarmgate.turns (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  conversation_id uuid NOT NULL,
  message_id uuid NOT NULL,
  sequence bigint NOT NULL,
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'running', 'waiting', 'done', 'dead')),
  attempt integer NOT NULL DEFAULT 0,
  fence bigint NOT NULL DEFAULT 0,
  reply_message_id uuid,
  cancel_requested_at timestamptz(3),
  error_code text,
  error_message text,
  model text,
  input_tokens integer,
  output_tokens integer,
  cached_input_tokens integer,
  reasoning_tokens integer,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  started_at timestamptz(3),
  finished_at timestamptz(3),
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT turns_tenant_id_message_id_key UNIQUE (tenant_id, message_id),
  CONSTRAINT turns_tenant_id_conversation_id_fkey FOREIGN KEY (tenant_id, conversation_id)
    REFERENCES swarmgate.conversations (tenant_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  CONSTRAINT turns_tenant_id_message_id_fkey FOREIGN KEY (tenant_id, message_id)
    REFERENCES swarmgate.messages (tenant_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  CONSTRAINT turns_tenant_id_reply_message_id_fkey FOREIGN KEY (tenant_id, reply_message_id)
    REFERENCES swarmgate.messages (tenant_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT
) WITH (fillfactor = 80);
CREATE INDEX turns_mailbox_idx ON swarmgate.turns (tenant_id, conversation_id, sequence)
  WHERE state IN ('pending', 'running', 'waiting');
SELECT swarmgate.enable_tenant_rls('swarmgate.turns', report_columns =>
  'tenant_id, id, conversation_id, message_id, state, attempt, error_code, model,
  input_tokens, output_tokens, cached_input_tokens, reasoning_tokens, created_at, started_at, finished_at');

-- The journal of a turn: a step's result is kept before the next step starts. `key` is what a tool with an effect gets.
CREATE TABLE swarmgate.turn_steps (
  tenant_id uuid NOT NULL,
  turn_id uuid NOT NULL,
  number integer NOT NULL,
  kind text NOT NULL CHECK (kind IN ('model', 'retrieval', 'tool')),
  state text NOT NULL CHECK (state IN ('intended', 'done', 'failed', 'unknown')),
  key text NOT NULL,
  output jsonb,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  finished_at timestamptz(3),
  PRIMARY KEY (tenant_id, turn_id, number),
  CONSTRAINT turn_steps_tenant_id_turn_id_fkey FOREIGN KEY (tenant_id, turn_id)
    REFERENCES swarmgate.turns (tenant_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT
);
SELECT swarmgate.enable_tenant_rls('swarmgate.turn_steps');

-- A message on its way out. A streaming delivery is being written while its turn runs; its sequence comes with the turn's commit.
CREATE TABLE swarmgate.deliveries (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  conversation_id uuid NOT NULL,
  channel_id uuid NOT NULL,
  message_id uuid NOT NULL,
  sequence bigint,
  state text NOT NULL CHECK (state IN ('streaming', 'pending', 'sending', 'sent', 'delivered', 'read', 'failed')),
  attempt integer NOT NULL DEFAULT 0,
  due_at timestamptz,
  claim_number bigint NOT NULL DEFAULT 0,
  claim_holder text,
  claim_expires_at timestamptz,
  error_code text,
  error_message text,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  sent_at timestamptz(3),
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT deliveries_tenant_id_message_id_key UNIQUE (tenant_id, message_id),
  CONSTRAINT deliveries_tenant_id_conversation_id_fkey FOREIGN KEY (tenant_id, conversation_id)
    REFERENCES swarmgate.conversations (tenant_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  CONSTRAINT deliveries_tenant_id_channel_id_fkey FOREIGN KEY (tenant_id, channel_id)
    REFERENCES swarmgate.channels (tenant_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  CONSTRAINT deliveries_tenant_id_message_id_fkey FOREIGN KEY (tenant_id, message_id)
    REFERENCES swarmgate.messages (tenant_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT
) WITH (fillfactor = 80);
CREATE INDEX deliveries_outbox_idx ON swarmgate.deliveries (tenant_id, conversation_id, sequence)
  WHERE state IN ('pending', 'sending');
-- The sweeper's, like the conversations' one.
CREATE INDEX deliveries_due_at_idx ON swarmgate.deliveries (due_at) WHERE due_at IS NOT NULL;
SELECT swarmgate.enable_tenant_rls('swarmgate.deliveries', report_columns =>
  'tenant_id, id, conversation_id, channel_id, message_id, state, attempt, due_at, error_code, created_at, sent_at');

-- What the platform called each part of a message that had to be split (or the one part of a short one).
CREATE TABLE swarmgate.delivery_parts (
  tenant_id uuid NOT NULL,
  delivery_id uuid NOT NULL,
  number integer NOT NULL,
  external_id text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, delivery_id, number),
  CONSTRAINT delivery_parts_tenant_id_delivery_id_fkey FOREIGN KEY (tenant_id, delivery_id)
    REFERENCES swarmgate.deliveries (tenant_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT
);
SELECT swarmgate.enable_tenant_rls('swarmgate.delivery_parts');

-- The outbox: what happened, written in the transaction in which it happened, told to the outside afterwards.
-- `subject` holds ids, never content.
CREATE TABLE swarmgate.events (
  tenant_id uuid NOT NULL REFERENCES directory.tenants (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
  id uuid NOT NULL,
  kind text NOT NULL,
  subject jsonb NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  published_at timestamptz(3),
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX events_unpublished_idx ON swarmgate.events (tenant_id, created_at) WHERE published_at IS NULL;
SELECT swarmgate.enable_tenant_rls('swarmgate.events');

-- The sweeper's door: ids, order and times of what is due, of every tenant, whether it was tried before, and no other column.
CREATE POLICY sweeper ON swarmgate.conversations FOR SELECT TO swarmgate_sweeper USING (due_at IS NOT NULL);
CREATE POLICY sweeper ON swarmgate.deliveries FOR SELECT TO swarmgate_sweeper USING (due_at IS NOT NULL);
GRANT SELECT (tenant_id, id, due_at, waiting_for, lease_expires_at) ON swarmgate.conversations TO swarmgate_sweeper;
GRANT SELECT (tenant_id, conversation_id, sequence, state, attempt, due_at, claim_expires_at) ON swarmgate.deliveries TO swarmgate_sweeper;

"""All tables, as SQLAlchemy Core knows them. Every row names its tenant (`vdn`).

* ``schema``    the metadata and the columns that tables share
* ``live``      what is configured, what is live, calls, and the audit
* ``people``    users, their groups, and the app keys and tokens of those who call for them
* ``contacts``  the contacts that can be inspected (partitioned by month), playbacks of their recordings
* ``reviews``   review tasks and their items, draws of samples, plans
* ``retention`` what keeps contacts from being erased, and tombstones
* ``results``   scenarios, rule results, scores, and quality items (appeals and problems)

The migrations make exactly this; a test compares the two.
"""

from __future__ import annotations

from sottovoce.storage.tables.contacts import contact_corrections, contact_sources, contacts, playbacks
from sottovoce.storage.tables.live import (
    access_codes,
    agents,
    audit,
    audit_heads,
    audit_signatures,
    calls,
    dialogs,
    leases,
    phones,
    registrations,
    segments,
    sessions,
    sign_in_sources,
    sign_ins,
    skills,
    vdns,
    waits,
)
from sottovoce.storage.tables.people import access_tokens, app_keys, group_members, user_groups, users
from sottovoce.storage.tables.results import (
    quality_item_hits,
    quality_item_steps,
    quality_items,
    revisions,
    rule_results,
    scenarios,
    score_profiles,
    scores,
)
from sottovoce.storage.tables.retention import contact_holds, erasures
from sottovoce.storage.tables.reviews import (
    plan_runs,
    plans,
    review_items,
    review_steps,
    review_tasks,
    sampling_blocks,
    sampling_chains,
    sampling_draws,
)
from sottovoce.storage.tables.schema import metadata

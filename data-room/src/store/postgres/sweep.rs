//! Maintenance: retention, thinning, deletion on demand.
//!
//! What is over goes by dropping partitions, which takes the data off the disk. What must go out of a partition that stays
//! is deleted and the partition written anew in the same transaction, since a deleted row's bytes stay otherwise; `VACUUM
//! FULL` would keep them while any older transaction runs. The server's write-ahead log and backups are its
//! administrator's: they hold what was deleted until they are recycled.

use super::schema::{self, Extensions, Leaf, table};
use super::value::Micros;
use crate::record::{Kind, Sensitivity, Tenant};
use crate::store::policy::HOUR_MS;
use crate::store::sql::{Dialect, Statement, micros};
use crate::store::{AuditAction, AuditEntry, Deleted, Deletion, Policies, Swept, expiry};
use masa_v2x_proto::time::Timestamp;
use std::collections::BTreeMap;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, GenericClient, Row, Transaction};

pub(super) async fn sweep(
    client: &mut Client,
    policies: &Policies,
    now: Timestamp,
    extensions: &Extensions,
) -> Result<Swept, Error> {
    let mut swept = Swept::default();
    for sensitivity in Sensitivity::ALL {
        swept.expired += drop_leaves(client, sensitivity, policies, now, extensions).await?;
        swept.expired += expire_kinds(client, sensitivity, policies, now).await?;
    }
    for rule in &policies.thin {
        swept.thinned += thin(client, rule.kind, policies, i64::from(rule.after_hours), now).await?;
    }
    let forget = Micros(micros(now.plus_ms(-i64::from(policies.audit_days) * 24 * HOUR_MS)));
    client.execute("DELETE FROM audit WHERE at < $1", &[&forget]).await?;
    client.execute("DELETE FROM streams WHERE seen_at < $1", &[&forget]).await?;
    Ok(swept)
}

/// Drops partitions in which the time of every kind is over.
async fn drop_leaves(
    client: &mut Client,
    sensitivity: Sensitivity,
    policies: &Policies,
    now: Timestamp,
    extensions: &Extensions,
) -> Result<u64, Error> {
    let longest_ms = Kind::all().map(|kind| policies.keep_ms(kind, sensitivity)).max().unwrap_or(i64::MAX);
    let mut expired = 0;
    for Leaf { name, until } in schema::leaves(client, sensitivity, extensions).await? {
        if until.plus_ms(longest_ms) > now {
            break;
        }
        let tx = client.transaction().await?;
        let held = tx.query(&format!("SELECT tenant, kind, count(*) FROM {name} GROUP BY tenant, kind"), &[]).await?;
        // Waits for whoever reads; not for long, since others wait behind it. The next sweep tries again.
        tx.batch_execute(&format!("SET LOCAL lock_timeout TO '5s'; DROP TABLE {name}")).await?;
        expired += gone_by_policy(&tx, &held, sensitivity, policies, now).await?;
        tx.commit().await?;
    }
    Ok(expired)
}

/// Deletes kinds whose time is over before that of the others.
async fn expire_kinds(
    client: &mut Client,
    sensitivity: Sensitivity,
    policies: &Policies,
    now: Timestamp,
) -> Result<u64, Error> {
    let mut expired = 0;
    for kind in policies.keep.iter().map(|rule| rule.kind) {
        let cutoff = Micros(micros(now.plus_ms(-policies.keep_ms(kind, sensitivity))));
        let condition = format!("kind = '{}' AND received_at < $1", kind.name());
        let (gone, _) = delete_where(client, sensitivity, &condition, &[&cutoff]).await?;
        let tx = client.transaction().await?;
        let held: Vec<_> = gone.iter().map(|((tenant, kind), n)| (tenant.clone(), *kind, *n)).collect();
        for (tenant, kind, records) in held {
            note(&tx, &expiry(tenant, kind, sensitivity, policies, records, now)).await?;
            expired += records;
        }
        tx.commit().await?;
    }
    Ok(expired)
}

/// Notes and counts what went with a partition: rows of tenant, kind, number.
async fn gone_by_policy(
    client: &impl GenericClient,
    held: &[Row],
    sensitivity: Sensitivity,
    policies: &Policies,
    now: Timestamp,
) -> Result<u64, Error> {
    let mut gone = 0;
    for row in held {
        let (tenant, kind): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let (Ok(tenant), Some(kind)) = (Tenant::new(tenant), Kind::from_name(&kind)) else { continue };
        let records = row.try_get::<_, i64>(2)?.unsigned_abs();
        uncount(client, &tenant, kind, sensitivity, records).await?;
        note(client, &expiry(tenant, kind, sensitivity, policies, records, now)).await?;
        gone += records;
    }
    Ok(gone)
}

async fn uncount(
    client: &impl GenericClient,
    tenant: &Tenant,
    kind: Kind,
    sensitivity: Sensitivity,
    records: u64,
) -> Result<(), Error> {
    let sql = "UPDATE holdings SET records = records - $4 WHERE tenant = $1 AND kind = $2 AND personal = $3";
    let personal = sensitivity == Sensitivity::Personal;
    client.execute(sql, &[&tenant.as_str(), &kind.name(), &personal, &(records as i64)]).await.map(drop)
}

/// Deletes rows of one table for good; how many of each tenant and kind, and from how many partitions.
async fn delete_where(
    client: &mut Client,
    sensitivity: Sensitivity,
    condition: &str,
    values: &[&(dyn ToSql + Sync)],
) -> Result<(BTreeMap<(Tenant, Kind), u64>, u64), Error> {
    let tx = client.transaction().await?;
    let sql = format!(
        "WITH gone AS (DELETE FROM {} WHERE {condition} RETURNING tableoid, tenant, kind)
         SELECT tenant, kind, count(*), tableoid::regclass::text FROM gone GROUP BY 1, 2, 4",
        table(sensitivity)
    );
    let (mut gone, mut leaves): (_, Vec<String>) = (BTreeMap::new(), Vec::new());
    for row in tx.query(&sql, values).await? {
        let (tenant, kind): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let (Ok(tenant), Some(kind)) = (Tenant::new(tenant), Kind::from_name(&kind)) else { continue };
        let records = row.try_get::<_, i64>(2)?.unsigned_abs();
        uncount(&tx, &tenant, kind, sensitivity, records).await?;
        *gone.entry((tenant, kind)).or_default() += records;
        leaves.push(row.try_get(3)?);
    }
    leaves.sort_unstable();
    leaves.dedup();
    rewrite(&tx, &leaves).await?;
    tx.commit().await?;
    Ok((gone, leaves.len() as u64))
}

/// Writes partitions anew without the bytes of what this transaction has deleted.
async fn rewrite(tx: &Transaction<'_>, leaves: &[String]) -> Result<(), Error> {
    for leaf in leaves {
        let sql = format!(
            "CREATE TEMPORARY TABLE survivors ON COMMIT DROP AS SELECT * FROM {leaf};
             TRUNCATE {leaf};
             INSERT INTO {leaf} SELECT * FROM survivors;
             DROP TABLE survivors"
        );
        tx.batch_execute(&sql).await?;
    }
    Ok(())
}

/// Thins out what has come to an age since the last time; what is thinned is noted so that nothing is looked at twice.
async fn thin(
    client: &mut Client,
    kind: Kind,
    policies: &Policies,
    after_hours: i64,
    now: Timestamp,
) -> Result<u64, Error> {
    let Some(bucket_ms) = policies.bucket_ms(kind, after_hours * HOUR_MS) else { return Ok(0) };
    let progress = format!("thinned {} {bucket_ms}", kind.name());
    let row = client.query_opt("SELECT value FROM meta WHERE key = $1", &[&progress]).await?;
    let done_us = row.map_or(Ok(i64::MIN), |row| row.try_get(0))?;
    // Whole hours: a bucket is at most one, so it is not cut where the next sweep goes on.
    let until_us = (now.unix_ms() / HOUR_MS - after_hours) * HOUR_MS * 1_000;
    if until_us <= done_us {
        return Ok(0);
    }
    let mut thinned = 0;
    for sensitivity in Sensitivity::ALL {
        let condition = format!(
            "(tableoid, ctid) IN (SELECT tableoid, ctid FROM (SELECT tableoid, ctid, row_number() OVER (
                PARTITION BY tenant, site, station, entity, floor(extract(epoch FROM measured_at) * 1000 / {bucket_ms})
                ORDER BY measured_at, arrival) AS place
             FROM {} WHERE kind = '{}' AND received_at >= $1 AND received_at < $2) AS ranked WHERE place > 1)",
            table(sensitivity),
            kind.name()
        );
        let range: [&(dyn ToSql + Sync); 2] = [&Micros(done_us.max(0)), &Micros(until_us)];
        let (gone, _) = delete_where(client, sensitivity, &condition, &range).await?;
        thinned += gone.values().sum::<u64>();
    }
    let sql = "INSERT INTO meta VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    client.execute(sql, &[&progress, &until_us]).await?;
    Ok(thinned)
}

pub(super) async fn delete(client: &mut Client, dialect: Dialect, deletion: &Deletion) -> Result<Deleted, Error> {
    let Statement { text, values, .. } = Statement::deletion(dialect, &deletion.filter, deletion.from, deletion.until);
    let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
    let mut deleted = Deleted::default();
    for sensitivity in Sensitivity::ALL {
        let (gone, touched) = delete_where(client, sensitivity, &text, &values).await?;
        deleted.records += gone.values().sum::<u64>();
        deleted.files += touched;
    }
    note(client, &deletion.entry(deleted.records)).await?;
    Ok(deleted)
}

pub(super) async fn note(client: &impl GenericClient, entry: &AuditEntry) -> Result<(), Error> {
    let AuditEntry { at, tenant, by, action, words, records, .. } = entry;
    let sql = "INSERT INTO audit (at, tenant, by, action, words, records) VALUES ($1, $2, $3, $4, $5, $6)";
    let action: &str = AuditAction::name(*action);
    client
        .execute(sql, &[&Micros(micros(*at)), &tenant.as_str(), by, &action, words, &(*records as i64)])
        .await
        .map(drop)
}

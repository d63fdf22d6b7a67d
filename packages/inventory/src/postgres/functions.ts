import type { Sql } from "@sluice/postgres";

import type { BatchDecision, Decision, EndDecision, WantedBatch } from "../store.ts";
import { decisionOf, levelOf, levelsOf, movementOf, type LevelRow, type Routines } from "./routines.ts";

/** One round trip for each decision: the functions of the migrations. */
export function functionRoutines(schema: string): Routines {
  return {
    needTransaction: false,
    async reserve(sql, { id, lines, ttlMs, reference, replaces }) {
      const answer = await ask<ReserveAnswer>(sql, `${schema}.inventory_reserve($1, $2, $3, $4, $5, $6)`, [
        id,
        lines.map(({ productId }) => productId),
        lines.map(({ quantity }) => quantity),
        ttlMs,
        reference ?? null,
        replaces ?? null,
      ]);
      return reserveDecision(answer);
    },
    async reserveBatch(sql, batch) {
      const { productId, ttlMs, requests } = batch;
      // Two texts instead of two arrays: cheaper to write here than an array of a thousand.
      const call = `${schema}.inventory_reserve_batch($1, string_to_array($2, ',')::uuid[], string_to_array($3, ',')::bigint[], $4)`;
      const ids = requests.map(({ id }) => id).join(",");
      const quantities = requests.map(({ quantity }) => quantity).join(",");
      return batchDecision(await ask<BatchAnswer>(sql, call, [productId, ids, quantities, ttlMs]), batch);
    },
    async end(sql, { ids, to, late, reason }) {
      const params = [ids, to, late, reason ?? null];
      return endDecision(await ask<EndAnswer>(sql, `${schema}.inventory_resolve($1, $2, $3, $4)`, params));
    },
    async move(sql, { productId, kind, delta, key }) {
      const call = `${schema}.inventory_move($1, $2, $3, $4)`;
      const answer = await ask<MoveAnswer>(sql, call, [productId, kind, delta, key]);
      return movementOf(answer.outcome, levelOf({ ...answer, product: productId }));
    },
  };
}

interface ReserveAnswer {
  readonly outcome: Decision["outcome"];
  readonly due?: number;
  readonly product?: string;
  readonly available?: number;
  readonly levels?: readonly LevelRow[] | null;
}

interface BatchAnswer {
  readonly codes: readonly number[];
  readonly available: number;
  readonly version: number;
  readonly due?: number;
  /** By the place in the batch, from 1: code and deadline of those that were there already. */
  readonly known?: Readonly<Record<string, readonly [number, number]>> | null;
}

interface EndAnswer {
  readonly outcomes: readonly (readonly [EndDecision["ends"][number]["status"], boolean])[];
  readonly levels: readonly LevelRow[] | null;
}

interface MoveAnswer {
  readonly outcome: string;
  readonly available: number;
  readonly version: number;
}

async function ask<Answer>(sql: Sql, call: string, params: readonly unknown[]): Promise<Answer> {
  const { rows } = await sql.query<{ readonly answer: Answer }>(`select ${call} as answer`, params);
  const [row] = rows;
  if (!row) throw new Error("a function answered no row");
  return row.answer;
}

function reserveDecision(answer: ReserveAnswer): Decision {
  const { outcome, product: productId = "" } = answer;
  if (outcome === "reserved") return { outcome, expiresAtMs: answer.due ?? 0, levels: levelsOf(answer.levels ?? null) };
  if (outcome === "duplicate") return { outcome, expiresAtMs: answer.due ?? 0 };
  if (outcome === "sold_out") return { outcome, productId, available: answer.available ?? 0 };
  if (outcome === "unknown_product") return { outcome, productId };
  return { outcome };
}

function batchDecision({ codes, available, version, due = 0, known }: BatchAnswer, batch: WantedBatch): BatchDecision {
  const { productId } = batch;
  const decisions = codes.map((code, place) =>
    decisionOf(code, { productId, available, expiresAtMs: known?.[String(place + 1)]?.[1] ?? due }),
  );
  const isUnknown = decisions[0]?.outcome === "unknown_product";
  return { decisions, level: isUnknown ? undefined : { productId, available, version } };
}

function endDecision({ outcomes, levels }: EndAnswer): EndDecision {
  return { ends: outcomes.map(([status, changed]) => ({ status, changed })), levels: levelsOf(levels) };
}

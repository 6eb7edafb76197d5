import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The made-up student whose card is the first in the simulated wallet, by the attributes' names. */
export const CARD: Record<string, string> = {
  surname: "Okonkwo",
  othernames: "Amaka Ngozi",
  matric_number: "UNI/CSC/21/0417",
  school_name: "Unity State University",
  programme: "B.Sc Computer Science",
  department: "Computer Science",
  date_of_birth: "2003-04-17",
  national_id_number: "70123456789",
  graduation_year: "2026",
};

export const WALLET = "Green phone";

export type Attribute = { name: string; label: string; purpose: string };

const text = readFileSync(join(import.meta.dirname, "../../registration.toml"), "utf8");

function field(block: string, name: string): string {
  const value = new RegExp(`^${name} = "(.*)"$`, "m").exec(block)?.[1];
  if (value === undefined) throw new Error(`registration.toml has no ${name} in:\n${block}`);
  return value;
}

/** What registration.toml asks for, in its order. */
export const ATTRIBUTES: Attribute[] = text
  .split(/^(?=\[)/m)
  .filter((block) => block.startsWith("[[attribute]]"))
  .map((block) => ({ name: field(block, "name"), label: field(block, "label"), purpose: field(block, "purpose") }));

/** How long registration.toml keeps a registration, in days. */
export const KEPT_DAYS = Number.parseInt(field(text, "keep"), 10);

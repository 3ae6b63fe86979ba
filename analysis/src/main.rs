//! `analysis`: recordings in, tables, figures and checked claims out.

fn main() -> anyhow::Result<()> {
    anyhow::bail!("the analysis has no commands yet")
}

//! The style sheet of the report: light and dark, wide and narrow, on paper.

use std::fmt::Write as _;

use crate::chart::paint::Paint;

pub(crate) fn sheet() -> String {
    let light = page_colours(Paint::light);
    let dark = page_colours(Paint::dark);
    let charts = chart_colours();
    format!(
        ":root{{color-scheme:light dark;{light}}}\n{LAYOUT}\n\
         @media screen and (prefers-color-scheme:dark){{\n:root{{{dark}}}\n{charts}}}\n"
    )
}

/// The colours of the page, the same as those of the charts.
fn page_colours(colour: fn(Paint) -> &'static str) -> String {
    let paints = [Paint::Ink, Paint::Muted, Paint::Grid, Paint::Paper];
    let dark = colour(Paint::Paper) != Paint::Paper.light();
    let page = if dark {
        "--page:#0d1117;--bad:#ff8a80;--good:#6fdd8b;"
    } else {
        "--page:#f4f5f7;--bad:#a40e26;--good:#116329;"
    };
    let own: String = paints.iter().map(|paint| format!("--{}:{};", paint.class(), colour(*paint))).collect();
    format!("{page}{own}--accent:{};", colour(Paint::Series(crate::chart::Role::BASE)))
}

/// Repaints the charts for a dark page: a style sheet wins over the attributes that the charts come with.
fn chart_colours() -> String {
    let mut css = String::new();
    for paint in Paint::all() {
        let (class, colour) = (paint.class(), paint.dark());
        // Writing to a string cannot fail.
        let _ = writeln!(css, "svg .f-{class}{{fill:{colour}}}svg .s-{class}{{stroke:{colour}}}");
    }
    css
}

const LAYOUT: &str = "\
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.55 system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif}
main,header,nav,footer{max-width:820px;margin:0 auto;padding:0 16px}
header{padding-top:28px}
h1{font-size:1.65rem;line-height:1.2;margin:0 0 .5rem}
h2{font-size:1.25rem;margin:2.4rem 0 .7rem;padding-top:.4rem;border-top:1px solid var(--grid)}
h3{font-size:1.02rem;margin:1.6rem 0 .4rem}
p{margin:.5rem 0}
a{color:var(--accent)}
code{font:.86em ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;overflow-wrap:anywhere}
.skip{position:absolute;left:-999px}
.skip:focus{position:static}
.muted,figcaption,caption,footer{color:var(--muted);font-size:.9rem}
.verdict{font-size:1.15rem;line-height:1.45;background:var(--paper);border:1px solid var(--grid);border-left:4px solid var(--accent);border-radius:6px;padding:14px 16px;margin:14px 0}
.verdict p{margin:0 0 .4rem}
.verdict ul{font-size:.9rem;color:var(--muted);margin:.4rem 0 0;padding-left:1.1rem}
.answer figure{padding:12px}
.answer figure svg{max-width:none}
.question{font-size:1.1rem}
.quick{display:inline-block;border:1px solid var(--bad);color:var(--bad);border-radius:4px;padding:0 6px;font-size:.85rem;font-weight:600}
nav ol{columns:2;column-gap:28px;padding-left:1.8rem;margin:.3rem 0}
nav li{break-inside:avoid}
nav ol ol{columns:1;font-size:.92rem}
figure{margin:1.2rem 0;background:var(--paper);border:1px solid var(--grid);border-radius:8px;padding:6px}
figure svg{display:block;width:100%;height:auto;max-width:720px;margin:0 auto}
figcaption{padding:2px 10px 8px}
figcaption p{margin:.25rem 0}
.narrow{display:none}
.scroll{overflow-x:auto;background:var(--paper);border:1px solid var(--grid);border-radius:8px;margin:1rem 0}
table{border-collapse:collapse;width:100%;font-size:.88rem}
caption{text-align:left;padding:8px 10px}
caption span{display:block;position:sticky;left:10px;max-width:calc(100vw - 44px)}
th,td{padding:5px 10px;border-top:1px solid var(--grid);text-align:left;vertical-align:top}
thead th{vertical-align:bottom;border-top:0;border-bottom:2px solid var(--grid)}
tbody th{font-weight:500}
.n{text-align:right;font-variant-numeric:tabular-nums}
td.n{white-space:nowrap}
td:not(.n){min-width:9rem}
.holds{color:var(--good);font-weight:600}
.fails{color:var(--bad);font-weight:600}
details{margin:.6rem 0}
summary{cursor:pointer}
footer{padding-top:24px;padding-bottom:40px}
@media(max-width:600px){.wide{display:none}.narrow{display:block}nav ol{columns:1}main,header,nav,footer{padding-left:10px;padding-right:10px}figure{padding:2px;margin:1rem -4px}h1{font-size:1.4rem}th,td{padding:5px 7px}}
@media print{body{background:#fff}nav,.skip{display:none}figure,.scroll{break-inside:avoid;border:0}}";

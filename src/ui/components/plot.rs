//! Plots, drawn by the server as SVG. A picture for the eye; whoever does not see it has the same numbers as a table, which
//! anybody may open. *Runs: server.*

use leptos::prelude::*;

/// One of the values that a plot has at each of its places.
#[derive(Clone, Debug)]
pub struct Row {
    /// What stands below it.
    pub label: String,
    /// A value for each of the plot's names; `None` where there is none.
    pub values: Vec<Option<f64>>,
}

/// Width and height of the picture; its lines are as wide on every screen.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 180.0;
/// Room for labels: left, below, above.
const LEFT: f64 = 44.0;
const BELOW: f64 = 22.0;
const ABOVE: f64 = 8.0;

/// How the values of a plot are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drawn {
    /// Beside each other, as bars.
    Bars,
    /// As a line; where a value is missing it is broken.
    Line,
}

/// A plot with its table.
#[component]
pub fn Plot(
    /// What it shows.
    #[prop(into)]
    title: String,
    /// Its most important finding, in a sentence.
    #[prop(into)]
    says: String,
    /// What each of a row's values is.
    names: Vec<&'static str>,
    /// The values, in order.
    rows: Vec<Row>,
    /// How they are drawn.
    drawn: Drawn,
    /// Writes a value.
    write: fn(f64) -> String,
    /// What the places are.
    places: &'static str,
    /// A name for the plot's parts.
    id: &'static str,
) -> impl IntoView {
    let most = rows.iter().flat_map(|row| row.values.iter().flatten()).copied().fold(0.0, f64::max);
    let top = round_up(most);
    let picture = match drawn {
        Drawn::Bars => bars(&rows, names.len(), top),
        Drawn::Line => lines(&rows, names.len(), top),
    };
    view! {
        <figure class="plot" aria-labelledby=format!("{id}-title")>
            <figcaption>
                <h3 id=format!("{id}-title")>{title}</h3>
                <p>{says}</p>
            </figcaption>
            <svg viewBox=format!("0 0 {WIDTH} {HEIGHT}") aria-hidden="true" class="picture">
                {scale(top, write)}
                {picture}
                {below(&rows)}
            </svg>
            {(names.len() > 1)
                .then(|| {
                    view! {
                        <ul class="key" aria-hidden="true">
                            {names
                                .iter()
                                .enumerate()
                                .map(|(index, name)| {
                                    view! {
                                        <li>
                                            <span class=format!("series-{index}")></span>
                                            {*name}
                                        </li>
                                    }
                                })
                                .collect_view()}
                        </ul>
                    }
                })}
            <details id=format!("{id}-numbers")>
                <summary>"As a table"</summary>
                <table>
                    <thead>
                        <tr>
                            <th scope="col">{places}</th>
                            {names.iter().map(|name| view! { <th scope="col" class="figure">{*name}</th> }).collect_view()}
                        </tr>
                    </thead>
                    <tbody>
                        {rows
                            .into_iter()
                            .map(|row| {
                                view! {
                                    <tr>
                                        <th scope="row">{row.label}</th>
                                        {row
                                            .values
                                            .into_iter()
                                            .map(|value| {
                                                view! {
                                                    <td class="figure">{value.map_or_else(|| "–".to_owned(), write)}</td>
                                                }
                                            })
                                            .collect_view()}
                                    </tr>
                                }
                            })
                            .collect_view()}
                    </tbody>
                </table>
            </details>
        </figure>
    }
    .into_any()
}

/// The next number from 1, 2, 5 and their tenfolds that is not less.
fn round_up(most: f64) -> f64 {
    if most <= 0.0 {
        return 1.0;
    }
    let ten = 10_f64.powf(most.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|times| times * ten).find(|round| *round >= most * 0.999_999).unwrap_or(most)
}

fn height_of(value: f64, top: f64) -> f64 {
    (HEIGHT - BELOW - ABOVE) * (value / top).clamp(0.0, 1.0)
}

fn place_of(index: usize, count: usize) -> f64 {
    LEFT + (WIDTH - LEFT) * (index as f64 + 0.5) / count.max(1) as f64
}

/// Three lines across, with their numbers.
fn scale(top: f64, write: fn(f64) -> String) -> impl IntoView {
    [0.0, 0.5, 1.0]
        .map(|part| {
            let y = HEIGHT - BELOW - height_of(part * top, top);
            view! {
                <line class="rule" x1=LEFT x2=WIDTH y1=y y2=y />
                <text class="tick" x=LEFT - 6.0 y=y + 4.0 text-anchor="end">
                    {write(part * top)}
                </text>
            }
        })
        .collect_view()
}

/// As many labels as there is room for.
fn below(rows: &[Row]) -> impl IntoView + use<> {
    let every = rows.len().div_ceil(8).max(1);
    let count = rows.len();
    rows.iter()
        .enumerate()
        .step_by(every)
        .map(|(index, row)| {
            view! {
                <text class="tick" x=place_of(index, count) y=HEIGHT - 5.0 text-anchor="middle">
                    {row.label.clone()}
                </text>
            }
        })
        .collect_view()
}

fn bars(rows: &[Row], series: usize, top: f64) -> AnyView {
    let room = (WIDTH - LEFT) / rows.len().max(1) as f64;
    let width = room * 0.8 / series as f64;
    rows.iter()
        .enumerate()
        .flat_map(|(index, row)| {
            let left = place_of(index, rows.len()) - room * 0.4;
            row.values.iter().enumerate().filter_map(move |(number, value)| {
                let height = height_of((*value)?, top);
                Some(view! {
                    <rect
                        class=format!("series-{number}")
                        x=left + width * number as f64
                        y=HEIGHT - BELOW - height
                        width=width
                        height=height
                    />
                })
            })
        })
        .collect_view()
        .into_any()
}

fn lines(rows: &[Row], series: usize, top: f64) -> AnyView {
    (0..series)
        .map(|number| {
            let mut path = String::new();
            let mut goes_on = false;
            for (index, row) in rows.iter().enumerate() {
                let value = row.values.get(number).copied().flatten();
                if let Some(value) = value {
                    let (x, y) = (place_of(index, rows.len()), HEIGHT - BELOW - height_of(value, top));
                    // A value that stands alone is a line too, as long as its end is wide: a dot.
                    let (begin, end) = if goes_on { ("L", "") } else { ("M", "h0.01") };
                    path.push_str(&format!("{begin}{x:.1} {y:.1}{end}"));
                }
                goes_on = value.is_some();
            }
            view! { <path class=format!("line series-{number}") d=path /> }
        })
        .collect_view()
        .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_ends_at_a_round_number_that_nothing_exceeds() {
        for (most, top) in
            [(0.0, 1.0), (1.0, 1.0), (1.1, 2.0), (3.0, 5.0), (7.0, 10.0), (10.0, 10.0), (130.0, 200.0), (0.03, 0.05)]
        {
            assert!((round_up(most) - top).abs() < 1e-9, "{most}: {}", round_up(most));
        }
    }
}

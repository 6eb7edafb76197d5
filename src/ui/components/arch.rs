//! The door: an arch whose two leaves open, step by step, as the wallet connects, approves and is verified. Drawn once;
//! how far it stands open is the style sheet's business, by the `data-stage` around it. *Runs: server.*

use leptos::prelude::*;

/// The arch with its two leaves, and what is seen through it. A picture for those who see it; everything it says is said
/// in words beside it.
#[component]
pub fn Arch() -> impl IntoView {
    view! {
        <svg class="arch" viewBox="0 0 240 264" aria-hidden="true">
            <clipPath id="opening">
                <path d="M40 224V100a80 80 0 0 1 160 0v124z" />
            </clipPath>
            <path class="spill" d="M40 232h160l32 32H8z" />
            <g clip-path="url(#opening)">
                <path class="beyond" d="M40 20h160v204H40z" />
                <circle class="sun" cx="120" cy="118" r="27" />
                <path class="hill" d="M40 180c44-20 104-22 160-4v48H40z" />
                <path class="path" d="M117 167h6c6 20 16 38 36 57H81c20-19 30-37 36-57z" />
                <g class="leaf left">
                    <path d="M40 224V100a80 80 0 0 1 80-80v204z" />
                    <path d="M54 150v-48c0-34 22-60 52-66v114zM54 210v-46h52v46z" />
                    <circle class="knob" cx="112" cy="157" r="4" />
                </g>
                <g class="leaf right">
                    <path d="M200 224V100a80 80 0 0 0-80-80v204z" />
                    <path d="M186 150v-48c0-34-22-60-52-66v114zM186 210v-46h-52v46z" />
                    <circle class="knob" cx="128" cy="157" r="4" />
                </g>
            </g>
            <path class="frame" d="M34 224V100a86 86 0 0 1 172 0v124" />
            <path class="step" d="M18 224h204v8H18z" />
        </svg>
    }
}

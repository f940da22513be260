//! Takes the module documentation of every rule out of its source, so that it is the rule's page, its
//! `explain` text and the source of its executed examples without being written a second time.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    let out = Path::new(&out);
    println!("cargo::rerun-if-changed=src");
    for entry in fs::read_dir("src")? {
        let folder = entry?.path();
        if !folder.is_dir() {
            continue;
        }
        for file in fs::read_dir(&folder)? {
            let path = file?.path();
            let (Some(stem), true) = (
                path.file_stem().and_then(|stem| stem.to_str()),
                path.extension().is_some_and(|extension| extension == "rs"),
            ) else {
                continue;
            };
            let source = fs::read_to_string(&path)?;
            let mut page = String::new();
            for line in source.lines().map_while(|line| line.strip_prefix("//!")) {
                page.push_str(line.strip_prefix(' ').unwrap_or(line));
                page.push('\n');
            }
            fs::write(out.join(format!("{stem}.md")), page)?;
        }
    }
    Ok(())
}

//! `pidlab completions` and `pidlab man`: what is made from the definition of the command line.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

use super::{End, Out};

#[derive(Args)]
#[command(after_help = "\
Examples:
  pidlab completions bash > ~/.local/share/bash-completion/completions/pidlab
  pidlab completions zsh  > ~/.zfunc/_pidlab
  pidlab completions fish > ~/.config/fish/completions/pidlab.fish")]
pub(super) struct CompletionsArguments {
    /// For which shell.
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  pidlab man | man -l -                       the page of pidlab itself
  pidlab man \"$DESTDIR/usr/share/man/man1\"    for packages")]
pub(super) struct ManArguments {
    /// A folder that is there: write `pidlab.1`, `pidlab-check.1` and so on into it.
    folder: Option<PathBuf>,
}

pub(super) fn completions(
    out: &mut Out,
    arguments: &CompletionsArguments,
    mut command: clap::Command,
) -> io::Result<End> {
    // The generator panics where it cannot write: a pipe that is closed early is the user's right.
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "pidlab", &mut text);
    out.write_all(&text)?;
    Ok(End::Agree)
}

pub(super) fn man(out: &mut Out, arguments: &ManArguments, command: clap::Command) -> io::Result<End> {
    // There is no page for `help`.
    let command = command.disable_help_subcommand(true);
    let Some(folder) = &arguments.folder else {
        clap_mangen::Man::new(command).render(out)?;
        return Ok(End::Agree);
    };
    if let Err(error) = clap_mangen::generate_to(command, folder) {
        eprintln!("error: {}: {error}", folder.display());
        return Ok(End::BadInput);
    }
    Ok(End::Agree)
}

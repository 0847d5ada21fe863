#![no_main]

vault::bare_program!(vault::quick::main);

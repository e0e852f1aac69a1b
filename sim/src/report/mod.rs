//! Reports of runs: for a build server (JUnit), for people (HTML).

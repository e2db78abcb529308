package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/onsi/ginkgo/v2/types"
)

// expected is what a runtime is known not to pass, by the specs' whole names.
type expected struct {
	passed int
	why    map[string]string
}

func readExpected(file string) (expected, error) {
	e := expected{-1, map[string]string{}}
	content, err := os.ReadFile(file)
	if err != nil {
		return e, err
	}
	lines := bufio.NewScanner(strings.NewReader(string(content)))
	for number := 1; lines.Scan(); number++ {
		line := lines.Text()
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if count, found := strings.CutPrefix(line, "passed "); found {
			if e.passed, err = strconv.Atoi(count); err != nil {
				return e, fmt.Errorf("%s:%d: %w", file, number, err)
			}
			continue
		}
		spec, why, found := strings.Cut(line, "\t")
		if !found {
			return e, fmt.Errorf("%s:%d: no tab between the spec's name and the reason", file, number)
		}
		e.why[spec] = why
	}
	if e.passed < 0 {
		return e, fmt.Errorf("%s: no line `passed N`", file)
	}
	return e, nil
}

type outcome struct {
	spec, state, message string
	expected             bool
}

// verdict prints what passed and what did not; true where both are as expected. Of a part of the specs only what ran counts.
func verdict(out io.Writer, report string, e expected, part bool) bool {
	specs, err := read(report)
	if err != nil {
		fmt.Fprintln(out, err)
		return false
	}
	counts := map[string]int{}
	var others []outcome
	surprises := 0
	for _, spec := range specs {
		if part && spec.state == "skipped" && spec.message == "" {
			continue // not chosen
		}
		counts[spec.state]++
		_, known := e.why[spec.spec]
		spec.expected = known
		if spec.state == "passed" {
			if known {
				fmt.Fprintf(out, "passed, though it is expected not to: %s\n", spec.spec)
				surprises++
			}
			continue
		}
		if known {
			spec.message = e.why[spec.spec]
		} else {
			surprises++
		}
		others = append(others, spec)
	}
	print(out, others)
	fmt.Fprintf(out, "\n%d passed, %d failed, %d skipped\n", counts["passed"],
		len(others)-counts["skipped"], counts["skipped"])
	if !part && counts["passed"] != e.passed {
		fmt.Fprintf(out, "expected are %d passed\n", e.passed)
		surprises++
	}
	return surprises == 0 && counts["passed"] > 0
}

func print(out io.Writer, others []outcome) {
	slices.SortFunc(others, func(a, b outcome) int { return strings.Compare(a.spec, b.spec) })
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, one := range others {
		mark := "expected"
		if !one.expected {
			mark = "NOT EXPECTED"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", one.state, mark, one.spec, one.message)
	}
	table.Flush()
}

func read(report string) ([]outcome, error) {
	content, err := os.ReadFile(report)
	if err != nil {
		return nil, err
	}
	var suites []types.Report
	if err := json.Unmarshal(content, &suites); err != nil {
		return nil, fmt.Errorf("%s: %w", report, err)
	}
	var all []outcome
	for _, suite := range suites {
		for _, spec := range suite.SpecReports {
			if spec.LeafNodeType != types.NodeTypeIt {
				continue
			}
			message, _, _ := strings.Cut(strings.TrimSpace(spec.Failure.Message), "\n")
			all = append(all, outcome{spec.FullText(), spec.State.String(), shortened(message), false})
		}
	}
	return all, nil
}

func shortened(text string) string {
	const most = 200
	if len(text) > most {
		return text[:most] + "..."
	}
	return text
}

// progress counts the specs that have ended, on one line, where somebody looks.
type progress struct {
	out   *os.File
	ended int
}

func newProgress(out *os.File) io.Writer {
	if about, err := out.Stat(); err != nil || about.Mode()&os.ModeCharDevice == 0 {
		return io.Discard
	}
	return &progress{out: out}
}

func (p *progress) Write(data []byte) (int, error) {
	// ginkgo writes a bullet at the end of each
	if more := bytes.Count(data, []byte("•")); more > 0 {
		p.ended += more
		fmt.Fprintf(p.out, "\r%d specs", p.ended)
	}
	return len(data), nil
}

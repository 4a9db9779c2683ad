// The oracle of the tests in src/go_regex: reads one JSON object a line, a pattern and a text in base64, and answers
// with what Go's regexp makes of them: the error, or the places of all matches and of their groups.
package main

import (
	"bufio"
	"encoding/json"
	"os"
	"regexp"
)

type question struct {
	Pattern string `json:"pattern"`
	Text    []byte `json:"text"`
}

type answer struct {
	Error   string  `json:"error"`
	Matches [][]int `json:"matches"`
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<24)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	for in.Scan() {
		var asked question
		if err := json.Unmarshal(in.Bytes(), &asked); err != nil {
			panic(err)
		}
		said := answer{Matches: [][]int{}}
		if compiled, err := regexp.Compile(asked.Pattern); err != nil {
			said.Error = err.Error()
		} else if found := compiled.FindAllSubmatchIndex(asked.Text, -1); found != nil {
			said.Matches = found
		}
		if err := encoder.Encode(said); err != nil {
			panic(err)
		}
	}
}

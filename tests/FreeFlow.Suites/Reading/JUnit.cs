using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Xml.Linq;
using FreeFlow.Suites.Running;

namespace FreeFlow.Suites.Reading;

/// <summary>Results in JUnit's XML, as Python's regrtest and pytest and Erlang's common_test write them.</summary>
internal static class JUnit
{
    /// <summary>Reads the file; no result if it is not there.</summary>
    internal static IReadOnlyDictionary<string, Outcome> Read(string path)
    {
        Dictionary<string, Outcome> results = [];
        if (!File.Exists(path)) return results;
        foreach (XElement test in XDocument.Load(path).Descendants("testcase"))
        {
            string name = string.Join('.', new[] { (test.Attribute("classname") ?? test.Attribute("group"))?.Value, test.Attribute("name")?.Value }.Where(part => !string.IsNullOrEmpty(part)));
            // A test may stand there more than once (pytest: failure of the test, then of its tear-down): the worst counts.
            Outcome outcome = Of(test);
            results[name] = results.TryGetValue(name, out Outcome before) && before == Outcome.Failed ? before : outcome;
        }
        return results;
    }

    private static Outcome Of(XElement test) =>
        test.Elements().Any(element => element.Name.LocalName is "failure" or "error") ? Outcome.Failed
        : test.Element("skipped") is not null || string.Equals(test.Attribute("result")?.Value, "skipped", StringComparison.OrdinalIgnoreCase) ? Outcome.Skipped
        : Outcome.Passed;
}
